"""Connections: pinned to what was checked, shared by nothing but the same list of hosts, TLS under the host's name."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpcore2
import pytest
from django.conf import LazySettings

from publishing import outbound
from publishing.outbound import client, network, streams
from publishing.outbound.network import PinnedBackend
from tests.support import upstream as scripted
from tests.support.certificates import certificate_of
from tests.support.outside_calls import Names, get, now, refused
from tests.support.serving import free_port
from tests.support.upstream import Upstream


async def test_a_name_that_turns_private_at_the_second_look_is_refused_then(
    outside: None, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.answers["rebind.example"] = [["8.8.8.8"], ["127.0.0.1"]]
    dialled: list[str] = []

    async def dial(host: str, port: int, *, within_s: float) -> None:
        dialled.append(host)
        raise httpcore2.ConnectError

    monkeypatch.setattr(streams, "connected", dial)
    assert await refused("http://rebind.example/") == "unreachable"
    assert await refused("http://rebind.example/") == "refused_address"
    assert dialled == ["8.8.8.8"]


async def test_a_connection_looks_its_name_up_once_and_goes_there(
    outside: None, names: Names, upstream: Upstream, settings: LazySettings
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ("inside.example",)
    names.answers["inside.example"] = [["127.0.0.1"], ["192.0.2.1"]]
    answer = await get(f"http://inside.example:{upstream.port}/mirror")
    assert answer.status == 200
    assert names.asked == ["inside.example"]
    assert upstream.requests[0].headers["host"] == f"inside.example:{upstream.port}"


async def test_the_next_address_is_tried_when_one_does_not_answer(
    outside: None, names: Names, upstream: Upstream, settings: LazySettings
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ("inside.example",)
    names.answers["inside.example"] = [["127.0.0.2", "::1", "127.0.0.1"]]
    assert (await get(f"http://inside.example:{upstream.port}/mirror")).status == 200


async def test_a_connection_that_one_list_allowed_serves_no_request_under_another(
    outside: None, upstream: Upstream, settings: LazySettings
) -> None:
    url = f"{upstream.url}/mirror"
    assert (await get(url)).status == 200
    settings.OUTBOUND_ALLOWED_HOSTS = ()
    assert await refused(url) == "refused_address"


async def test_connections_are_kept_for_the_next_request(outside: None, upstream: Upstream) -> None:
    for _ in range(3):
        await get(f"{upstream.url}/mirror")
    assert upstream.connections == 1


async def test_the_environments_proxies_are_ignored(
    outside: None, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert (await get(f"{upstream.url}/mirror")).status == 200


async def test_a_port_where_nobody_listens_is_unreachable(outside: None, settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1",)
    assert await refused(f"http://127.0.0.1:{free_port()}/") == "unreachable"


async def test_a_slow_resolver_costs_no_more_than_the_calls_time(
    outside: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(host: str, port: int) -> list[str]:
        time.sleep(0.5)
        return ["8.8.8.8"]

    monkeypatch.setattr(network, "look_up", slow)
    began = now()
    assert await refused("http://slow.example/", timeout_s=0.1) == "timed_out"
    assert now() - began < 0.4


async def test_sockets_of_the_machine_are_not_opened() -> None:
    with pytest.raises(network.AddressRefused):
        await PinnedBackend(frozenset()).connect_unix_socket("/run/docker.sock")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_of("good.example", tmp_path_factory.mktemp("tls") / "good.pem")


@pytest.fixture(scope="module")
def secure_upstream(certificate: Path) -> Iterator[Upstream]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with scripted.running(context) as running:
        yield running


@pytest.mark.parametrize(
    ("host", "is_trusted", "outcome"),
    [
        ("good.example", True, "200"),
        ("good.example", False, "unreachable"),
        ("other.example", True, "unreachable"),
    ],
)
async def test_tls_verifies_the_hosts_name_although_the_address_is_pinned(
    outside: None,
    names: Names,
    secure_upstream: Upstream,
    certificate: Path,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    is_trusted: bool,
    outcome: str,
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = (host,)
    names.answers[host] = [["127.0.0.1"]]
    trusting = ssl.create_default_context(cafile=certificate if is_trusted else None)
    monkeypatch.setattr(client, "tls", lambda: trusting)
    url = f"https://{host}:{secure_upstream.port}/mirror"
    assert (str((await get(url)).status) if outcome == "200" else await refused(url)) == outcome


def test_servers_must_prove_who_they_are() -> None:
    assert client.tls().verify_mode is ssl.CERT_REQUIRED
    assert client.tls().check_hostname


def test_the_libraries_below_say_nothing_of_what_is_sent() -> None:
    assert logging.getLogger("httpcore2.http11").getEffectiveLevel() >= logging.WARNING
    assert logging.getLogger("httpx2").getEffectiveLevel() >= logging.WARNING


async def test_an_answer_in_a_thousand_pieces_leaves_others_their_turn() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x"

    reading = asyncio.create_task(
        client.OutboundResponse(httpcore2.Response(200, content=pieces()), 2000).read(now() + 5, 2000)
    )
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert await reading == b"x" * 1000


async def test_closing_twice_is_harmless() -> None:
    await outbound.close()
    await outbound.close()

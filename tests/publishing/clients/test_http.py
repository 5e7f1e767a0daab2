"""HTTP requests of flows: redirects, bounds, headers, secrets."""

from __future__ import annotations

import asyncio
import json
import traceback
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from identity import actors
from identity.models import User
from publishing import actions
from publishing.clients import http
from publishing.clients.http import TenantHttpClient
from scaicore.services import HttpCall, ServiceFailed
from tests.support.outside_calls import Names, get, now, refused
from tests.support.upstream import Upstream

SECRET = "tok-3f9a"


def mirrored(body: bytes) -> Any:
    return json.loads(body)


async def send(upstream: Upstream, **call: Any) -> Any:
    """What the scripted server saw of a call."""
    call = {"method": "GET", "url": f"{upstream.url}/mirror", **call}
    return mirrored((await TenantHttpClient("acme").send(HttpCall(**call))).body)


async def test_a_request_arrives_as_it_was_meant(outside: None, upstream: Upstream) -> None:
    seen = await send(
        upstream,
        method="post",
        url=f"{upstream.url}/mirror?a=1",
        query={"b": "2 &"},
        headers={"X-Team": "red"},
        body=b'{"x": 1}',
    )
    assert (seen["method"], seen["query"], seen["body"]) == ("POST", {"a": "1", "b": "2 &"}, '{"x": 1}')
    assert (seen["headers"]["x-team"], seen["headers"]["content-length"]) == ("red", "8")
    assert seen["headers"]["accept-encoding"] == "identity"


async def test_an_answer_is_given_whatever_its_status(outside: None, upstream: Upstream) -> None:
    answer = await get(f"{upstream.url}/status/418")
    assert (answer.status, answer.headers["content-type"]) == (418, "application/json")


async def test_no_cookie_of_one_call_stands_in_another(outside: None, upstream: Upstream) -> None:
    answer = await get(f"{upstream.url}/mirror")
    assert answer.headers["set-cookie"].startswith("sid=1")
    assert "cookie" not in (await send(upstream))["headers"]


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection", "Upgrade", "Expect"])
async def test_how_a_request_is_framed_is_not_the_flows_to_say(outside: None, upstream: Upstream, name: str) -> None:
    seen = await send(upstream, headers={name: "evil"}, body=b"x")
    assert "evil" not in json.dumps(seen["headers"])


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "a\r\nEvil: 1"},
        {"X": "a\nEvil: 1"},
        {"X": "a\0b"},
        {"X\r\nEvil": "1"},
        {"X Y": "1"},
        {"": "1"},
        {"X:": "1"},
        {"X": "\x7f"},
        {"X": "\ud800"},
        {"É": "1"},
    ],
)
async def test_no_header_can_bring_another(outside: None, upstream: Upstream, headers: dict[str, str]) -> None:
    assert await refused(f"{upstream.url}/mirror", headers=headers) == "rejected"
    assert upstream.requests == []


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "GET /x HTTP/1.1\r\nX:", "", "G T"])
async def test_a_method_that_is_none_is_not_sent(outside: None, upstream: Upstream, method: str) -> None:
    with pytest.raises(ServiceFailed, match="rejected"):
        await TenantHttpClient("acme").send(HttpCall(method, f"{upstream.url}/mirror"))
    assert upstream.requests == []


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://0x7f.1/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://ann:pw@example.com/",
        "//169.254.169.254/",
        "http://localhost:1/",
        "http://[",
        "http://example.com:99999/",
    ],
)
@pytest.mark.parametrize("status", ["301", "307"])
async def test_a_redirect_goes_nowhere_that_a_call_does_not(
    outside: None, upstream: Upstream, to: str, status: str
) -> None:
    reason = await refused(f"{upstream.url}/redirect", query={"to": to, "status": status})
    assert reason == "refused_address"


async def test_a_redirect_is_followed_on_the_same_server_with_its_headers(outside: None, upstream: Upstream) -> None:
    seen = await send(
        upstream, url=f"{upstream.url}/redirect", query={"to": "/mirror?x=1"}, headers={"Authorization": SECRET}
    )
    assert (seen["query"], seen["headers"]["authorization"]) == ({"x": "1"}, SECRET)


async def test_a_secret_does_not_follow_a_redirect_to_another_server(
    outside: None, upstream: Upstream, names: Names, settings: Any
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ("one.example", "two.example")
    names.answers = {"one.example": [["127.0.0.1"]], "two.example": [["127.0.0.1"]]}
    seen = await send(
        upstream,
        url=f"http://one.example:{upstream.port}/redirect",
        query={"to": f"http://two.example:{upstream.port}/mirror"},
        headers={"Authorization": SECRET, "X-Api-Key": SECRET, "Cookie": SECRET, "Accept": "text/plain"},
    )
    assert SECRET not in json.dumps(seen)
    assert seen["headers"]["accept"] == "text/plain"
    assert upstream.requests[0].headers["x-api-key"] == SECRET


@pytest.mark.parametrize(
    ("status", "method", "arrives"),
    [
        ("301", "POST", ("GET", "")),
        ("302", "POST", ("GET", "")),
        ("303", "PUT", ("GET", "")),
        ("307", "POST", ("POST", "x")),
        ("308", "PUT", ("PUT", "x")),
        ("301", "PUT", ("PUT", "x")),
    ],
)
async def test_a_redirect_keeps_the_body_as_browsers_do(
    outside: None, upstream: Upstream, status: str, method: str, arrives: tuple[str, str]
) -> None:
    query = {"to": "/mirror", "status": status}
    seen = await send(upstream, method=method, url=f"{upstream.url}/redirect", query=query, body=b"x")
    assert (seen["method"], seen["body"]) == arrives


async def test_a_redirect_never_leads_out_of_tls() -> None:
    secure = http.outbound.outgoing("GET", "https://example.com/", {})
    with pytest.raises(ServiceFailed, match="refused_address"):
        secure.redirected(302, "http://example.com/")


async def test_a_ring_of_redirects_ends(outside: None, upstream: Upstream) -> None:
    assert await refused(f"{upstream.url}/loop") == "upstream_failed"
    assert len(upstream.requests) == 4


# How the end of a connection is told apart from garbage depends on the system.
NO_ANSWERS = [
    ("/flood", "too_large"),
    ("/bomb", "too_large"),
    ("/cut", "upstream_failed"),
    ("/closes", "unreachable upstream_failed"),
    ("/no-http", "upstream_failed"),
]


@pytest.mark.parametrize(("path", "reason"), NO_ANSWERS)
async def test_an_answer_that_is_none_fails_for_its_own_reason(
    outside: None, upstream: Upstream, path: str, reason: str
) -> None:
    assert await refused(f"{upstream.url}{path}", timeout_s=5) in reason.split()


async def test_a_silent_server_is_given_up_in_time_and_hung_up_on(outside: None, upstream: Upstream) -> None:
    began = now()
    assert await refused(f"{upstream.url}/silent", timeout_s=0.2) == "timed_out"
    assert now() - began < 2
    await asyncio.to_thread(upstream.await_left, "/silent")


async def test_a_flow_that_is_stopped_hangs_up(outside: None, upstream: Upstream) -> None:
    call = asyncio.create_task(get(f"{upstream.url}/silent"))
    await asyncio.to_thread(upstream.await_request)
    call.cancel()
    await asyncio.to_thread(upstream.await_left, "/silent")
    assert call.cancelled()


@pytest.mark.parametrize("path", ["/silent", "/closes", "/no-http", "/bomb"])
async def test_no_failure_tells_a_secret(outside: None, upstream: Upstream, path: str) -> None:
    with pytest.raises(ServiceFailed) as caught:
        await get(f"{upstream.url}{path}?key={SECRET}", headers={"X-Api-Key": SECRET}, timeout_s=0.2)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(http.outbound.outgoing("GET", "http://a.example", {"x": SECRET}))


async def test_a_bad_header_is_refused_without_being_quoted(outside: None, upstream: Upstream) -> None:
    with pytest.raises(ServiceFailed) as caught:
        await get(f"{upstream.url}/mirror", headers={"X-Api-Key": f"{SECRET}\n"})
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_a_secret_is_given_to_the_flows_of_its_tenant_alone(
    outside: None, transactional_db: None, root: User, cy: User
) -> None:
    await sync_to_async(actions.create_secret)(
        tenant=root.tenant, name="crm", value=SECRET, actor=actors.actor_of(root), at=timezone.now()
    )
    assert await TenantHttpClient("acme").secret("crm") == SECRET
    for tenant, name in (("globex", "crm"), ("acme", "other")):
        with pytest.raises(ServiceFailed, match="unconfigured"):
            await TenantHttpClient(tenant).secret(name)

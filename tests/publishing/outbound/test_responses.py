"""Bodies as they come: packed or plain, whatever the headers say; and connections that end as they are reused."""

from __future__ import annotations

import gzip
import zlib

import pytest

from publishing.clients import http
from tests.support.outside_calls import get, refused
from tests.support.upstream import Upstream
from tests.support.upstream_answers import giving, streaming

PLAIN = b"Hello from far away. " * 20_000
PACKED = gzip.compress(PLAIN)


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (PACKED, "gzip"),
        (PACKED, "GZip"),
        (PACKED, "x-gzip"),
        (PACKED, "identity"),
        (PACKED, "utf-8"),
        (PACKED + b"\0" * 600, "gzip"),
        (gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:]), "gzip"),
        (zlib.compress(PLAIN), "deflate"),
        (bare(PLAIN), "deflate"),
        (PLAIN, "gzip"),
        (PLAIN, "utf-8"),
    ],
)
async def test_the_bytes_themselves_say_how_they_are_packed(
    outside: None, upstream: Upstream, body: bytes, encoding: str
) -> None:
    upstream.plays("/packed", giving(body, kind="text/plain", content_encoding=encoding))
    assert (await get(f"{upstream.url}/packed")).body == PLAIN


async def test_a_packed_body_in_single_bytes_is_unpacked(outside: None, upstream: Upstream) -> None:
    pieces = [bytes([byte]) for byte in gzip.compress(b"Hello")]
    upstream.plays("/packed", streaming(*pieces, kind="text/plain", content_encoding="gzip"))
    assert (await get(f"{upstream.url}/packed")).body == b"Hello"


async def test_no_header_speaks_of_the_bytes_that_were_packed(outside: None, upstream: Upstream) -> None:
    upstream.plays("/packed", giving(PACKED, kind="text/plain", content_encoding="gzip"))
    assert (await get(f"{upstream.url}/packed")).headers == {"content-type": "text/plain"}


async def test_an_archive_that_was_asked_for_stays_one(outside: None, upstream: Upstream) -> None:
    upstream.plays("/file", giving(PACKED, kind="application/gzip"))
    assert (await get(f"{upstream.url}/file")).body == PACKED


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br"])
async def test_a_compression_that_is_not_understood_is_no_answer(
    outside: None, upstream: Upstream, encoding: str
) -> None:
    upstream.plays("/packed", giving(b"\x0b\x02\x80Hello\x03", kind="text/plain", content_encoding=encoding))
    assert await refused(f"{upstream.url}/packed") == "upstream_failed"


async def test_a_damaged_body_is_no_answer(outside: None, upstream: Upstream) -> None:
    upstream.plays("/packed", giving(PACKED[:20] + b"xx" + PACKED[22:], content_encoding="gzip"))
    assert await refused(f"{upstream.url}/packed") == "upstream_failed"


async def test_a_body_is_unpacked_no_further_than_an_answer_may_reach(
    outside: None, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", len(PLAIN) - 1)
    upstream.plays("/packed", giving(PACKED, content_encoding="gzip"))
    assert await refused(f"{upstream.url}/packed") == "too_large"


async def test_a_kept_connection_that_ends_as_it_is_reused_costs_nothing(outside: None, upstream: Upstream) -> None:
    url = f"{upstream.url}/closes-when-reused"
    assert [(await get(url)).status for _ in range(4)] == [200] * 4
    assert [seen.nth for seen in upstream.requests] == [1, 2, 1, 2, 1, 2, 1]


async def test_a_new_connection_that_ends_is_asked_once(outside: None, upstream: Upstream) -> None:
    assert await refused(f"{upstream.url}/closes") in ("unreachable", "upstream_failed")
    assert len(upstream.requests) == 1


async def test_half_an_answer_on_a_kept_connection_is_not_asked_for_again(outside: None, upstream: Upstream) -> None:
    await get(f"{upstream.url}/mirror")
    assert await refused(f"{upstream.url}/no-http") == "upstream_failed"
    assert [seen.path for seen in upstream.requests] == ["/mirror", "/no-http"]

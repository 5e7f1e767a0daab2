"""What the scripted server does: one function for each way to answer, in two tables."""

from __future__ import annotations

import asyncio
import gzip
import json

from tests.support.upstream_answers import DONE, TEXT, USAGE, chunk, say
from tests.support.upstream_wire import Script, Seen, Wire

BOMB = gzip.compress(b"\0" * 50_000_000)


async def well(wire: Wire, seen: Seen) -> None:
    await say(wire, TEXT)


async def echo(wire: Wire, seen: Seen) -> None:
    await say(wire, str(seen.json["messages"][-1]["content"]))


async def slow(wire: Wire, seen: Seen) -> None:
    await say(wire, " ".join(["word"] * 20), pause_s=0.05)


async def whole(wire: Wire, seen: Seen) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "length"}
    await wire.whole(200, json.dumps({"choices": [choice], "usage": USAGE}).encode())


async def no_usage_no_done(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.event(chunk(TEXT))
    await wire.event(chunk(finish="stop"))
    await wire.end()


async def hangs_when_finished(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.event(chunk(TEXT))
    await wire.event(chunk(finish="stop"))
    await asyncio.Event().wait()


async def odd_framing(wire: Wire, seen: Seen) -> None:
    """A mark, carriage returns, comments, other fields, data on two lines, one byte a piece."""
    body = b'\xef\xbb\xbf: hello\r\nevent: x\r\nid: 7\r\ndata: {"choices": [{"delta":\r\ndata:{"content": "Hello'
    body += b' from far away."}}]}\r\n\r\n:\r\n\r\ndata: ' + json.dumps(chunk(finish="stop")).encode() + b"\n\n"
    await wire.head()
    for byte in body + b"data: [DONE]":
        await wire.piece(bytes([byte]))
    await wire.end()


async def silent(wire: Wire, seen: Seen) -> None:
    await asyncio.Event().wait()


async def comments(wire: Wire, seen: Seen) -> None:
    await wire.head()
    while True:
        await wire.piece(b": still here\n\n")
        await asyncio.sleep(0.02)


async def stalls(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.event(chunk("Hello"))
    await asyncio.Event().wait()


async def half(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.event(chunk("Hello"))
    await wire.end()


async def closes_when_reused(wire: Wire, seen: Seen) -> None:
    """The second request of a connection meets its end, as when a server's patience with an idle one runs out."""
    if seen.nth > 1:
        wire.abort()
    elif seen.model:
        await say(wire, TEXT)
    else:
        await mirror(wire, seen)


async def cut(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.event(chunk("Hello"))
    await asyncio.sleep(0.05)
    wire.abort()


async def closes(wire: Wire, seen: Seen) -> None:
    wire.abort()


async def no_http(wire: Wire, seen: Seen) -> None:
    await wire.raw(b"220 mail.example.com ready\r\n\r\n")


async def html(wire: Wire, seen: Seen) -> None:
    await wire.whole(200, b"<!doctype html><title>Sign in</title>", kind="text/html")


async def garbage(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.piece(b'data: {"choices": [{"delta": {"content": \n\n')
    await asyncio.Event().wait()


async def garbage_later(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.event(chunk("Hello"))
    await wire.piece(b"data: <html>\n\n")
    await asyncio.Event().wait()


async def wrong_shape(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.event({"choices": 7})
    await asyncio.Event().wait()


async def error_first(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.event({"error": {"message": "secret detail", "type": "server_error", "code": None}})
    await asyncio.Event().wait()


async def rate_limit_in_stream(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.event({"error": {"message": "secret detail", "code": 429}})
    await asyncio.Event().wait()


async def error_later(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.event(chunk("Hello"))
    await wire.event({"error": {"message": "secret detail"}})
    await wire.piece(DONE)
    await wire.end()


async def endless(wire: Wire, seen: Seen) -> None:
    await wire.head()
    while True:
        await wire.event(chunk("na "))


async def endless_line(wire: Wire, seen: Seen) -> None:
    await wire.head()
    while True:
        await wire.piece(b"x" * 65_000)


async def endless_json(wire: Wire, seen: Seen) -> None:
    await wire.head(kind="application/json")
    while True:
        await wire.piece(b" " * 65_000)


async def bomb(wire: Wire, seen: Seen) -> None:
    await wire.whole(200, BOMB, content_encoding="gzip")


async def nul(wire: Wire, seen: Seen) -> None:
    await say(wire, "Hel\0lo")


async def odd_usage(wire: Wire, seen: Seen) -> None:
    await wire.head()
    await wire.event(chunk(TEXT, finish="stop"))
    await wire.event({"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": "many"}})
    await wire.piece(DONE)
    await wire.end()


async def loop(wire: Wire, seen: Seen) -> None:
    await wire.whole(307, b"", location=seen.path)


async def redirect(wire: Wire, seen: Seen) -> None:
    """To the place that the query names."""
    await wire.whole(int(seen.query.get("status", "302")), b"", location=seen.query["to"])


async def mirror(wire: Wire, seen: Seen) -> None:
    told = {"method": seen.method, "query": seen.query, "headers": seen.headers, "body": seen.body.decode()}
    await wire.whole(200, json.dumps(told).encode(), set_cookie="sid=1; Path=/")


async def flood(wire: Wire, seen: Seen) -> None:
    await wire.head(kind="application/octet-stream")
    while True:
        await wire.piece(b"x" * 65_000)


def status(code: int) -> Script:
    async def answer(wire: Wire, seen: Seen) -> None:
        key = seen.headers.get("authorization", "none")
        await wire.whole(code, json.dumps({"error": {"message": f"I am not answering, your key: {key}"}}).encode())

    return answer


MODELS: dict[str, Script] = {
    "well": well,
    "echo": echo,
    "slow": slow,
    "whole": whole,
    "no-usage-no-done": no_usage_no_done,
    "hangs-when-finished": hangs_when_finished,
    "odd-framing": odd_framing,
    "silent": silent,
    "comments": comments,
    "stalls": stalls,
    "half": half,
    "cut": cut,
    "closes": closes,
    "closes-when-reused": closes_when_reused,
    "no-http": no_http,
    "html": html,
    "garbage": garbage,
    "garbage-later": garbage_later,
    "wrong-shape": wrong_shape,
    "error-first": error_first,
    "rate-limit-in-stream": rate_limit_in_stream,
    "error-later": error_later,
    "endless": endless,
    "endless-line": endless_line,
    "endless-json": endless_json,
    "bomb": bomb,
    "nul": nul,
    "odd-usage": odd_usage,
    "loop": loop,
}
PATHS: dict[str, Script] = {
    "/mirror": mirror,
    "/redirect": redirect,
    "/loop": loop,
    "/flood": flood,
    "/bomb": bomb,
    "/silent": silent,
    "/cut": cut,
    "/closes": closes,
    "/closes-when-reused": closes_when_reused,
    "/no-http": no_http,
}


def named(name: str) -> Script:
    """The script of this model or path; `status-503` and `/status/503` answer with that status."""
    found = MODELS.get(name) or PATHS.get(name)
    if found:
        return found
    _, _, code = name.replace("/", "-").rpartition("-")
    return status(int(code) if code.isdecimal() else 404)

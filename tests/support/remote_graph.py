"""A program that lives elsewhere: a small LangGraph graph behind a FastAPI app, which knows of ScaiGrid what
docs/remote.md says. It keeps nothing: it counts in the state that it is given. Other paths misbehave by their name."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, TypedDict

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph

from tests.support.remote_graph_secret import SECRET

OLDEST_S = 300
left: list[str] = []


class Talk(TypedDict):
    message: str
    count: int
    response: str


def count(talk: Talk) -> dict[str, Any]:
    return {"count": talk["count"] + 1}


def reply(talk: Talk) -> dict[str, Any]:
    write, text = get_stream_writer(), f"You said {talk['message']}, {talk['count']} so far."
    for word in text.split(" "):
        write(word if text.startswith(word) else f" {word}")
    return {"response": text}


graph = StateGraph(Talk)
graph.add_node("count", count)
graph.add_node("reply", reply)
graph.add_edge(START, "count")
graph.add_edge("count", "reply")
graph.add_edge("reply", END)
talker = graph.compile()
app = FastAPI()


async def signed(request: Request) -> dict[str, Any]:
    """The call, if its signature is fresh and ours."""
    timestamp, body = request.headers["x-scai-timestamp"], await request.body()
    wanted = hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    is_fresh = abs(time.time() - int(timestamp)) < OLDEST_S
    if not is_fresh or not hmac.compare_digest(request.headers.get("x-scai-signature", ""), f"sha256={wanted}"):
        raise HTTPException(401, "The signature is not ours.")
    call: dict[str, Any] = json.loads(body)
    return call


Call = Annotated[dict[str, Any], Depends(signed)]


def begun(call: dict[str, Any]) -> Talk:
    return {"message": call["input"]["message"], "count": call["state"].get("count", 0), "response": ""}


def told(talk: Talk) -> dict[str, Any]:
    return {
        "output": {"response": talk["response"], "count": talk["count"]},
        "state": {"count": talk["count"]},
        "usage": {"prompt_tokens": 7, "completion_tokens": 5},
    }


@app.post("/whole")
async def whole(call: Call) -> JSONResponse:
    return JSONResponse(told(await talker.ainvoke(begun(call))))


@app.post("/stream")
async def stream(call: Call) -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        async for mode, part in talker.astream(begun(call), stream_mode=["custom", "values"]):
            if mode == "custom":
                yield event({"delta": part})
            else:
                talk = part
        yield event(told(talk))
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.post("/mirror")
async def mirror(call: Call) -> JSONResponse:
    return JSONResponse({"response": call})


@app.post("/html")
async def html() -> HTMLResponse:
    return HTMLResponse("<title>Sign in</title>")


@app.post("/broken")
async def broken() -> JSONResponse:
    return JSONResponse({"response": "secret detail"}, 500)


@app.post("/json/{name}")
async def json_of(name: str) -> JSONResponse:
    return JSONResponse(
        {
            "list": ["response"],
            "nothing": {},
            "no-response": {"output": {"text": "hello"}},
            "list-state": {"response": "hello", "state": [1]},
            "large-state": {"response": "hello", "state": {"text": "x" * 1_048_577}},
            "large": {"response": "x" * 5_000_000},
            "nul": {"response": "Hel\0lo"},
            "error": {"error": "secret detail"},
        }[name]
    )


@app.post("/events/{name}")
async def events_of(name: str) -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        yield event({"delta": "Hello"})
        if name == "garbage":
            yield "data: {\n\n"
        if name == "other-words":
            yield event({"response": "Good bye"})
        if name == "error":
            yield event({"error": "secret detail"})
        while name == "flood":
            yield event({"delta": "x" * 65_000})
            await asyncio.sleep(0)  # else nobody here would notice that the caller has left
        if name == "done-too-soon":
            yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.post("/silent")
async def silent() -> JSONResponse:
    await asyncio.sleep(30)
    return JSONResponse({"response": "late"})


@app.post("/stalls")
async def stalls() -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        try:
            yield event({"delta": "Hello"})
            await asyncio.sleep(30)
        finally:
            left.append("stalls")

    return StreamingResponse(events(), media_type="text/event-stream")


@app.get("/left")
async def who_left() -> list[str]:
    return left


def event(value: Any) -> str:
    return f"data: {json.dumps(value)}\n\n"

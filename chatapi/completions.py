"""The chat: from a key, headers and a body to a whole answer or to frames. Knows no web framework.

A door reads bytes, calls `answer`, and writes what comes back. The way inside: parse, decide, load, run, render.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from django.conf import settings

from chatapi import auth, chat_request, chat_response, hidden_prompts, responses, subflows, turns
from chatapi.chat_response import Label
from chatapi.errors import ChatError
from chatapi.pace import paced
from chatapi.replays import Replay
from chatapi.responses import Frames, Headers, Whole
from chatapi.runs import Run
from identity import ids
from publishing import registry

# Parsing this much takes long enough that other callers would notice.
LARGE_BODY = 500_000


async def answer(
    authorization: str | None, headers: Mapping[str, str], body: bytes, *, request_id: str = ""
) -> Whole | Frames:
    """The answer to one `POST /v1/chat/completions`. `headers` by lower-case name; never raises but on cancellation."""
    request_id = request_id or ids.new("req")
    try:
        try:
            asked = await _parsed(body, headers)
        except ChatError:
            await auth.authenticate(authorization)  # a stranger is told nothing about the body
            raise
        return await _answered(authorization, asked, request_id)
    except Exception as error:
        return responses.render_refusal(error, request_id)


async def refuse(authorization: str | None, error: ChatError, *, request_id: str = "") -> Whole:
    """The answer to a request whose headers were enough to refuse it; the key is looked at first all the same."""
    request_id = request_id or ids.new("req")
    try:
        await auth.authenticate(authorization)
    except Exception as earlier:
        return responses.render_refusal(earlier, request_id)
    return responses.render_refusal(error, request_id)


async def _parsed(body: bytes, headers: Mapping[str, str]) -> chat_request.ChatRequest:
    if len(body) > LARGE_BODY:
        return await asyncio.to_thread(chat_request.parse, body, headers)
    return chat_request.parse(body, headers)


async def begun(
    authorization: str | None, asked: chat_request.ChatRequest, request_id: str
) -> tuple[Run | Replay, registry.LiveCore]:
    """The allowed call, about to run or to be answered again, and the Core that it calls. Close it whatever happens."""
    caller = await auth.authorize(authorization, asked.model)
    core = await registry.load(caller.version_id)
    chat_request.check_demands(asked, core.program.program.capabilities)
    purpose = (
        hidden_prompts.recognise_purpose(asked.texts)
        if core.program.program.recognises_hidden_prompts
        else hidden_prompts.CHAT
    )
    turn = None
    if purpose == hidden_prompts.CHAT:
        turn = await turns.begin(caller, core, asked, request_id=request_id, wait_s=settings.ENTITY_WAIT_S)
    if turn is not None and turn.recorded is not None:
        return Replay(turn, turn.recorded, asked.stop), core
    run = Run(
        caller=caller,
        core=core,
        asked=asked,
        purpose=purpose,
        turn=turn,
        request_id=request_id,
        deadline_s=settings.RUN_DEADLINE_S,
        services=subflows.services(caller),
    )
    return run, core


async def _answered(authorization: str | None, asked: chat_request.ChatRequest, request_id: str) -> Whole | Frames:
    run, core = await begun(authorization, asked, request_id)
    label = Label(ids.new("chatcmpl").replace("_", "-"), int(time.time()), asked.model)
    headers = {"x-request-id": request_id} | _ignored(asked, core)
    if asked.is_streamed:
        frames = _frames(run, asked, label, request_id)
        # A Core that fails before its first word is an HTTP error, not a broken stream.
        return Frames(responses.STREAM | headers, await anext(frames), frames)
    async with aclosing(run):
        pieces = [piece async for piece in run.text()]
    return Whole(
        200, responses.JSON | headers, chat_response.render_whole(label, "".join(pieces), run.finish_reason, run.tokens)
    )


def _ignored(asked: chat_request.ChatRequest, core: registry.LiveCore) -> Headers:
    is_idle = asked.entity_id is not None and core.program.program.instance_mode != "entity"
    names = [*asked.ignored, *(["entity_id"] if is_idle else [])]
    return {"x-scai-ignored-params": ",".join(names)} if names else {}


async def _frames(
    run: Run | Replay, asked: chat_request.ChatRequest, label: Label, request_id: str
) -> AsyncGenerator[bytes]:
    """The stream's frames. Nothing is yielded before the Core's first word, or the first silence."""
    make = chat_response.ChunkWriter(label, has_usage=asked.has_usage_chunk)
    is_open = False
    try:
        async with aclosing(run), aclosing(paced(run.text(), settings.KEEP_ALIVE_S)) as pieces:
            async for piece in pieces:
                if not is_open:
                    is_open = True
                    yield make.opening()
                yield chat_response.KEEP_ALIVE if piece is None else make.text(piece)
    except Exception as error:
        if not is_open:
            raise
        yield make.failure(responses.error_object(responses.refusal_for(error, request_id)))
    else:
        yield (b"" if is_open else make.opening()) + make.closing(run.finish_reason, run.tokens)

"""The chat: from a key, headers and a body to a whole answer or to frames. Knows no web framework.

The fast path and the view read bytes, call `answer`, and send what comes back. The way inside: parse, decide, load,
run, render.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, aclosing

from chatapi import (
    admission,
    answer_formats,
    auth,
    call_limits,
    capabilities,
    chat_request,
    chat_response,
    hidden_prompts,
    media,
    open_streams,
    responses,
    runs,
    stopping,
    subflows,
)
from chatapi.admission import Place
from chatapi.bundles import bundled
from chatapi.chat_request import ChatRequest
from chatapi.chat_response import Label
from chatapi.errors import ChatError
from chatapi.replays import Replay
from chatapi.responses import Frames, Headers, Whole
from chatapi.runs import Run
from identity import ids
from publishing import registry
from publishing.process.cached_settings import settings
from publishing.registry import AllowedCall, LiveCore

# Parsing this much takes long enough that other callers would notice.
LARGE_BODY = 500_000


async def answer(
    authorization: str | None, headers: Mapping[str, str], body: bytes, *, request_id: str = ""
) -> Whole | Frames:
    """The answer to one `POST /v1/chat/completions`. `headers` by lower-case name; never raises but on cancellation."""
    request_id = request_id or ids.new("req")
    try:
        with stopping.told(), await admission.enter() as place:
            try:
                request = await _parse(body, headers)
            except ChatError:
                await auth.authenticate(authorization)  # a stranger learns nothing about the body
                raise
            if request.is_streamed:
                return await _begin_stream(authorization, request, request_id, place)
            return await _answer_whole(authorization, request, request_id, place)
    except Exception as error:
        return responses.render_refusal(error, request_id)


async def refuse(authorization: str | None, error: ChatError, *, request_id: str = "") -> Whole:
    """The answer to a request whose headers were enough to refuse it; the key is checked first all the same."""
    request_id = request_id or ids.new("req")
    try:
        await auth.authenticate(authorization)
    except Exception as earlier:
        return responses.render_refusal(earlier, request_id)
    return responses.render_refusal(error, request_id)


async def begin(
    authorization: str | None, request: ChatRequest, request_id: str, place: Place | None = None
) -> Run | Replay:
    """The run of a call by key, once the key, the access and what the caller asks for are settled.

    `place`: the one that the call has among the runs of this process.
    """
    caller = await auth.authorize(authorization, request.model, call_limits.estimate(request))
    if not caller.taken:
        return await _begin(caller, request, request_id, place)
    call_limits.check(caller)
    try:
        run = await _begin(caller, request, request_id, place)
    except BaseException:
        call_limits.give_back(caller)
        raise
    if isinstance(run, Replay):
        call_limits.give_back(caller)  # it was counted when it ran
    return run


async def _begin(caller: AllowedCall, request: ChatRequest, request_id: str, place: Place | None) -> Run | Replay:
    if place is not None:
        place.assign(caller)
    core = await registry.load(caller.version_id)
    capabilities.check(request, core.program.capabilities)
    schema = None
    if request.demands:
        schema = await answer_formats.agree(request, core)
        request = await media.admit(request)
    purpose = _purpose(request, core)
    return await runs.begin(
        caller,
        core,
        request,
        purpose=purpose,
        request_id=request_id,
        services=subflows.services(caller),
        is_remembered=purpose == hidden_prompts.CHAT,
        schema=schema,
    )


async def _parse(body: bytes, headers: Mapping[str, str]) -> ChatRequest:
    if len(body) > LARGE_BODY:
        return await asyncio.to_thread(chat_request.parse, body, headers)
    return chat_request.parse(body, headers)


def _purpose(request: ChatRequest, core: LiveCore) -> str:
    if core.program.program.recognises_hidden_prompts:
        return hidden_prompts.find_purpose(request.task, request.texts)
    return hidden_prompts.CHAT


async def _begin_stream(authorization: str | None, request: ChatRequest, request_id: str, place: Place) -> Frames:
    """A stream, whose first frame is there. It takes over the place of its call, and gives it back at its end."""
    with ExitStack() as held:
        held.enter_context(open_streams.counted(authorization))
        run = await begin(authorization, request, request_id, place)
        held.callback(place.hand_over())
        # A Core that fails before its first word is an HTTP error, not a broken stream: the first frame is awaited.
        frames = _frames(run, request, _label(request), request_id, held.pop_all())
        return Frames(responses.STREAM | _headers(request, run, request_id), await anext(frames), frames)


async def _answer_whole(authorization: str | None, request: ChatRequest, request_id: str, place: Place) -> Whole:
    run = await begin(authorization, request, request_id, place)
    result = await run.finish()
    body = chat_response.render_whole(_label(request), result.reply, result.finish_reason, result.tokens)
    return Whole(200, responses.JSON | _headers(request, run, request_id), body)


def _label(request: ChatRequest) -> Label:
    return Label(ids.new("chatcmpl").replace("_", "-"), int(time.time()), request.model)


def _headers(request: ChatRequest, run: Run | Replay, request_id: str) -> Headers:
    found = {"x-request-id": request_id} | _ignored_params(request, run.core)
    return found | call_limits.headers(run.taken) if run.taken else found


def _ignored_params(request: ChatRequest, core: LiveCore) -> Headers:
    is_idle = request.entity_id is not None and core.program.program.instance_mode != "entity"
    ignored = capabilities.unheeded(request, core.program.capabilities)
    names = [*ignored, *(["entity_id"] if is_idle else [])]
    return {"x-scai-ignored-params": ",".join(names)} if names else {}


async def _frames(
    run: Run | Replay, request: ChatRequest, label: Label, request_id: str, held: ExitStack
) -> AsyncGenerator[bytes]:
    """The stream's frames. Nothing is yielded before the Core's first word, or the first silence."""
    writer = chat_response.ChunkWriter(label, has_usage=request.has_usage_chunk)
    is_open = False
    try:
        with stopping.told():
            async with aclosing(run), aclosing(bundled(run.text(), settings.KEEP_ALIVE_S)) as bundles:
                async for pieces in bundles:
                    opening, is_open = b"" if is_open else writer.opening(), True
                    yield opening + (b"".join(map(writer.piece, pieces)) or chat_response.KEEP_ALIVE)
                result = await run.finish()
    except Exception as error:
        if not is_open:
            raise
        yield writer.failure(responses.error_object(responses.refusal_for(error, request_id)))
    else:
        yield (b"" if is_open else writer.opening()) + writer.closing(result.finish_reason, result.tokens)
    finally:
        held.close()

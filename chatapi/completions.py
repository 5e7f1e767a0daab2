"""The chat: from a key, headers and a body to a whole answer or to frames. Knows no web framework.

The fast path and the view read bytes, call `answer`, and send what comes back. The way inside: parse, decide, load,
run, render.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, aclosing
from typing import Any, Protocol

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
from chatapi.chat_response import FinishReason, Label, Piece, Tokens
from chatapi.draft_runs.dry_run import DryRun
from chatapi.errors import ChatError
from chatapi.replays import Replay, Result
from chatapi.responses import Frames, Headers, Whole
from chatapi.runs import Run
from chatapi.stored_completions import stored_completions
from identity import ids
from publishing import registry
from publishing.process.cached_settings import settings
from publishing.registry import AllowedCall, LiveCore
from scaicore.services import ToolCallPart

# Parsing this much takes long enough that other callers would notice.
LARGE_BODY = 500_000


class FrameWriter(Protocol):
    """Makes the frames of one stream."""

    def opening(self) -> bytes:
        """What comes before the first piece."""

    def piece(self, piece: Piece | ToolCallPart, /) -> bytes:
        """A piece of the reply, or of a call of the caller's tools."""

    def closing(self, finish_reason: FinishReason, tokens: Tokens) -> bytes:
        """The end of a whole answer."""

    def failure(self, error_object: dict[str, Any]) -> bytes:
        """The end of one that failed on its way."""


class ApiAdapter(Protocol):
    """One request and its answer in the words of one of OpenAI's APIs: what the chat and its younger sister differ in.

    `keep` and `begin_stream` are for what an API stores: before an answer is whole, and before its first word.
    """

    async def read(self, authorization: str | None, headers: Mapping[str, str], body: bytes) -> ChatRequest:
        """The request, or a refusal of it."""

    def render(self, request: ChatRequest, result: Result) -> bytes:
        """The body of a whole answer."""

    def writer(self, request: ChatRequest) -> FrameWriter:
        """What makes the frames of a stream."""

    async def begin_stream(self, run: Run | Replay) -> None:
        """The first frame is about to go out."""

    async def keep(self, run: Run | Replay, result: Result) -> None:
        """The run has ended well, and the caller does not know yet."""

    async def note_failure(self, refusal: ChatError) -> None:
        """The stream has begun, and its run has failed."""

    async def note_departure(self) -> None:
        """The caller left before the end, and the run with them."""

    def reword(self, error: Exception) -> Exception:
        """The refusal in the words of this API; what is none stays as it is."""


class ChatAdapter:
    """`POST /v1/chat/completions`: made for one request."""

    async def read(self, authorization: str | None, headers: Mapping[str, str], body: bytes) -> ChatRequest:
        """The request in `body`."""
        if len(body) > LARGE_BODY:
            self._request = await asyncio.to_thread(chat_request.parse, body, headers)
        else:
            self._request = chat_request.parse(body, headers)
        self._label = Label(ids.new("chatcmpl").replace("_", "-"), int(time.time()), self._request.model)
        return self._request

    def render(self, request: ChatRequest, result: Result) -> bytes:
        """A `chat.completion`."""
        return chat_response.render_whole(self._label, result.reply, result.finish_reason, result.tokens)

    def writer(self, request: ChatRequest) -> FrameWriter:
        """`chat.completion.chunk` events."""
        return chat_response.ChunkWriter(self._label, has_usage=request.has_usage_chunk)

    async def begin_stream(self, run: Run | Replay) -> None:
        """Nothing is stored before the end."""

    async def keep(self, run: Run | Replay, result: Result) -> None:
        """Store the whole answer where the caller asks for it, a streamed one too."""
        if self._request.is_stored:
            body = self.render(self._request, result)
            await stored_completions.keep(run.user_id, self._request, self._label.id, body)

    async def note_failure(self, refusal: ChatError) -> None:
        """What failed is not stored."""

    async def note_departure(self) -> None:
        """Nothing is stored before the end."""

    def reword(self, error: Exception) -> Exception:
        """Refusals are in its words."""
        return error


async def answer(
    authorization: str | None,
    headers: Mapping[str, str],
    body: bytes,
    *,
    request_id: str = "",
    adapter: ApiAdapter | None = None,
) -> Whole | Frames:
    """The answer to one `POST`, of the chat by itself. `headers` by lower-case name; never raises but on
    cancellation."""
    request_id, adapter = request_id or ids.new("req"), adapter or ChatAdapter()
    try:
        with stopping.told(), await admission.enter() as place:
            try:
                request = await adapter.read(authorization, headers, body)
            except ChatError:
                await auth.authenticate(authorization)  # a stranger learns nothing about the body
                raise
            if request.is_streamed:
                return await _begin_stream(adapter, authorization, request, request_id, place)
            return await _answer_whole(adapter, authorization, request, request_id, place)
    except Exception as error:
        return responses.render_refusal(adapter.reword(error), request_id)


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
    return await start(caller, core, request, request_id, purpose=_purpose(request, core))


async def start(
    caller: AllowedCall,
    core: LiveCore,
    request: ChatRequest,
    request_id: str,
    *,
    purpose: str,
    dry_run: DryRun | None = None,
) -> Run | Replay:
    """The run of a call that is allowed, once the Core is known to be able to answer it."""
    capabilities.check(request, core.program.capabilities)
    schema = None
    if request.demands:
        schema = await answer_formats.agree(request, core)
        request = await media.admit(request)
    return await runs.begin(
        caller,
        core,
        request,
        purpose=purpose,
        request_id=request_id,
        services=subflows.services(caller),
        is_remembered=purpose == hidden_prompts.CHAT,
        schema=schema,
        dry_run=dry_run,
    )


def _purpose(request: ChatRequest, core: LiveCore) -> str:
    if core.program.program.recognises_hidden_prompts:
        return hidden_prompts.find_purpose(request.task, request.texts)
    return hidden_prompts.CHAT


async def _begin_stream(
    adapter: ApiAdapter, authorization: str | None, request: ChatRequest, request_id: str, place: Place
) -> Frames:
    """A stream, whose first frame is there. It takes over the place of its call, and gives it back at its end."""
    with ExitStack() as held:
        held.enter_context(open_streams.counted(authorization))
        run = await begin(authorization, request, request_id, place)
        held.callback(place.hand_over())
        # A Core that fails before its first word is an HTTP error, not a broken stream: the first frame is awaited.
        frames = _frames(adapter, run, request, request_id, held.pop_all())
        return Frames(responses.STREAM | _headers(request, run, request_id), await anext(frames), frames)


async def _answer_whole(
    adapter: ApiAdapter, authorization: str | None, request: ChatRequest, request_id: str, place: Place
) -> Whole:
    run = await begin(authorization, request, request_id, place)
    result = await run.finish()
    await adapter.keep(run, result)
    return Whole(200, responses.JSON | _headers(request, run, request_id), adapter.render(request, result))


def _headers(request: ChatRequest, run: Run | Replay, request_id: str) -> Headers:
    found = {"x-request-id": request_id} | _ignored_params(request, run.core)
    return found | call_limits.headers(run.taken) if run.taken else found


def _ignored_params(request: ChatRequest, core: LiveCore) -> Headers:
    is_idle = request.entity_id is not None and core.program.program.instance_mode != "entity"
    ignored = capabilities.unheeded(request, core.program.capabilities)
    names = [*ignored, *(["entity_id"] if is_idle else [])]
    return {"x-scai-ignored-params": ",".join(names)} if names else {}


async def _frames(
    adapter: ApiAdapter, run: Run | Replay, request: ChatRequest, request_id: str, held: ExitStack
) -> AsyncGenerator[bytes]:
    """The stream's frames. Nothing is yielded before the Core's first word, or the first silence."""
    writer = adapter.writer(request)
    is_open = False
    try:
        with stopping.told():
            async with aclosing(run), aclosing(bundled(run.text(), settings.KEEP_ALIVE_S)) as bundles:
                async for pieces in bundles:
                    opening = b"" if is_open else await _open(adapter, writer, run)
                    is_open = True
                    yield opening + (b"".join(map(writer.piece, pieces)) or chat_response.KEEP_ALIVE)
                result = await run.finish()
                await adapter.keep(run, result)
    except Exception as error:
        if not is_open:
            raise
        refusal = responses.refusal_for(adapter.reword(error), request_id)
        await adapter.note_failure(refusal)
        yield writer.failure(responses.error_object(refusal))
    except (asyncio.CancelledError, GeneratorExit):
        await adapter.note_departure()
        raise
    else:
        yield (b"" if is_open else writer.opening()) + writer.closing(result.finish_reason, result.tokens)
    finally:
        held.close()


async def _open(adapter: ApiAdapter, writer: FrameWriter, run: Run | Replay) -> bytes:
    await adapter.begin_stream(run)
    return writer.opening()

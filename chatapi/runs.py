"""One run of a Core, from its begin to its end: whoever calls a Core calls it here.

    run = await runs.begin(caller, core, request, purpose="chat", request_id="req_…", services=services)
    result = await run.finish()

A stream reads `run.text()` before it finishes. A run that is not finished must be closed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import scaicore
from chatapi import call_limits, run_spans, traces, turns, usage
from chatapi.chat_request import ChatRequest
from chatapi.chat_response import FinishReason, Piece, Reply, Tokens
from chatapi.draft_runs.dry_run import DryRun
from chatapi.errors import AnswerUnfit, CoreFailed, CoreTimedOut, core_failure
from chatapi.models import Outcome
from chatapi.replays import Replay, Result, beside_the_text, call_parts
from chatapi.run_history.reasons import NO_CAUSE, Cause, find_cause
from publishing import memory
from publishing.process import tracing
from publishing.process.cached_settings import settings
from publishing.process.tracing import NO_SPAN, Span
from publishing.registry import AllowedCall, LiveCore
from scaicore import tokens
from scaicore.language.caller_schemas import CallerSchema
from scaicore.runtime.budget import RequestBudget
from scaicore.services import Services, ToolCall, ToolCallPart
from scaicore.stop_sequences import StopFilter

log = logging.getLogger(__name__)

OUTCOMES: dict[type[BaseException], Outcome] = {
    CoreFailed: Outcome.FAILED,
    CoreTimedOut: Outcome.TIMED_OUT,
    asyncio.CancelledError: Outcome.CANCELLED,
    GeneratorExit: Outcome.CANCELLED,
}


async def begin(
    caller: AllowedCall,
    core: LiveCore,
    request: ChatRequest,
    *,
    purpose: str,
    request_id: str,
    services: Services,
    timeout_s: float | None = None,
    entry: str | None = None,
    is_remembered: bool = True,
    schema: CallerSchema | None = None,
    dry_run: DryRun | None = None,
) -> Run | Replay:
    """A run of `core` on behalf of `caller`, holding its memory; the replay of one where the call repeats another.

    `timeout_s` bounds the wait for the memory and the run together, within the time of the request; `entry` is the node
    to start at, and a run that is not remembered reads and writes no memory; an answer that does not fit the `schema`
    is a failure. A `dry_run` has the state to begin with, and is told what happens. Raises `EntityBusy`,
    `IdempotencyMismatch` or `FieldInvalid`.
    """
    turn = None
    until = _until(services.budget, timeout_s)
    if is_remembered:
        # A call that has little time must not spend more than that on waiting for its turn.
        wait_s = min(settings.ENTITY_WAIT_S, max(0.0, until - time.monotonic()))
        turn = await turns.begin(caller, core, request, request_id=request_id, wait_s=wait_s)
    if turn is not None and turn.recorded is not None:
        # Nothing will be written, so the next turn need not wait until the answer is sent.
        await turn.release()
        return Replay(core, caller.user_id, turn.recorded, request.stop)
    return Run(
        caller,
        core,
        request,
        turn,
        purpose=purpose,
        request_id=request_id,
        services=services,
        until=until,
        entry=entry,
        schema=schema,
        dry_run=dry_run,
    )


def _until(budget: RequestBudget, timeout_s: float | None) -> float:
    """When the run must have ended, by the monotonic clock: a time of its own only shortens the request's."""
    return budget.until if timeout_s is None else min(budget.until, time.monotonic() + timeout_s)


class Run:
    """A run that has begun. It starts to work when its text is read, and it is counted once, however it ends."""

    def __init__(
        self,
        caller: AllowedCall,
        core: LiveCore,
        request: ChatRequest,
        turn: memory.LeasedTurn | None,
        *,
        purpose: str,
        request_id: str,
        services: Services,
        until: float,
        entry: str | None,
        schema: CallerSchema | None,
        dry_run: DryRun | None,
    ) -> None:
        self.core = core
        self.user_id = caller.user_id
        self.taken = caller.taken
        self._caller = caller
        self._request = request
        self._turn = turn
        self._purpose = purpose
        self._request_id = request_id
        self._services = services
        self._until = until
        self._entry = entry
        self._schema = schema
        self._dry_run = dry_run
        self._first_state = dry_run.state if dry_run else {}
        self._started = time.monotonic()
        self._first_token_ms: int | None = None
        self._tracer = traces.Tracer() if core.program.program.tracing else None
        self._received: list[str] = []
        self._shown: list[Piece] = []
        self._output: dict[str, Any] = {}
        self._tokens = Tokens(0, 0, 0)
        self._finish_reason: FinishReason = "stop"
        self._has_reported_usage = False
        self._stops = StopFilter(request.stop)
        self._has_called = False
        self._calls: tuple[ToolCall, ...] = ()
        self._text: AsyncGenerator[Piece | ToolCallPart] | None = None

    def text(self) -> AsyncGenerator[Piece | ToolCallPart]:
        """The pieces of the reply and of its calls, cut at the caller's stop sequences. They can be read once.

        Raises `CoreFailed` or `CoreTimedOut`; closing it early cancels the run.
        """
        self._text = self._text or self._read()
        return self._text

    async def finish(self) -> Result:
        """Let the run come to its end, whatever of its text was read before, and give the memory back."""
        try:
            calculation = None if self._text else self._driver.calculate(self._run_request())
            if calculation is not None:
                await self._calculate(calculation)
            else:
                async for _ in self.text():
                    pass
        finally:
            await self.aclose()
        reply = Reply.joined(self._shown, self._calls)
        return Result(reply, self._output, self._tokens, self._finish_reason, self._has_reported_usage)

    async def aclose(self) -> None:
        """End the run if it still goes on, and give the memory back, unchanged unless the turn was committed."""
        try:
            if self._text is not None:
                await self._text.aclose()
        finally:
            if self._turn is not None:
                await self._turn.release()

    async def _read(self) -> AsyncGenerator[Piece | ToolCallPart]:
        """Run, piece by piece."""
        # Text beyond a stop sequence is read all the same: the turn is committed at the end of the run.
        with Watched(self):
            async with aclosing(self._driver.run(self._run_request())) as events:
                async for event in events:
                    for piece in await self._pieces(event):
                        yield piece

    async def _calculate(self, events: Iterator[scaicore.Event | None]) -> None:
        """Run without reading piece by piece, where nothing waits: the same events, less machinery."""
        with Watched(self):
            for event in events:
                if event is None:
                    await asyncio.sleep(0)
                elif self._tracer is not None or self._dry_run is not None or isinstance(event, scaicore.Finished):
                    await self._pieces(event)

    async def _pieces(self, event: scaicore.Event) -> Sequence[Piece | ToolCallPart]:
        """What `event` adds to what is shown: a delta, or at the end what the output holds beyond the deltas."""
        if self._tracer is not None:
            self._tracer.note(event)
        if self._dry_run is not None:
            self._dry_run.note(event)
        if isinstance(event, scaicore.TextDelta):
            if event.kind != "thought":
                self._received.append(event.text)
            return self._show([Piece(event.text, event.kind)])
        if isinstance(event, scaicore.ToolCallPart):
            return self._call([event])
        if isinstance(event, scaicore.Finished):
            pieces = self._show(_unsent(await self._commit(event), event.refusal))
            pieces += self._kept([Piece(self._stops.rest())])
            if self._has_called or not event.tool_calls:
                return pieces
            return [*pieces, *self._call(call_parts(event.tool_calls))]
        return []

    def _call(self, parts: list[ToolCallPart]) -> list[ToolCallPart]:
        """These parts of calls, which are shown as they are."""
        self._has_called = bool(parts)
        if parts and self._first_token_ms is None:
            self._first_token_ms = self._elapsed_ms()
        return parts

    def _show(self, pieces: Sequence[Piece]) -> list[Piece]:
        """The part of these pieces that is shown, which is kept."""
        shown = [
            Piece(self._stops.feed(text), kind) if kind == "content" else Piece(text, kind) for text, kind in pieces
        ]
        return self._kept(shown)

    def _kept(self, pieces: Sequence[Piece]) -> list[Piece]:
        found = [piece for piece in pieces if piece.text]
        if found and self._first_token_ms is None:
            self._first_token_ms = self._elapsed_ms()
        self._shown += found
        return found

    @property
    def _driver(self) -> scaicore.Driver:
        return scaicore.DRIVERS[self.core.driver]

    def _run_request(self) -> scaicore.RunRequest:
        turn = self._turn
        return scaicore.RunRequest(
            program=self.core.program,
            input=self._request.input,
            entity_id=self._request.entity_id,
            state=turn.state if turn else self._first_state,
            resume=turn.resume if turn else None,
            now=turn.now if turn else time.time(),
            deadline_s=max(0.0, self._until - time.monotonic()),
            services=self._services,
            origin=scaicore.Origin(self._caller.core_id, self.core.number, self._request_id),
            entry=self._entry,
            is_watched=self._tracer is not None or self._dry_run is not None,
        )

    async def _commit(self, event: scaicore.Finished) -> str:
        """What of the reply was not sent yet, once the turn is written: no answer is whole before its memory is."""
        reply = scaicore.response_text(event.output)
        if self._schema is not None:
            await self._must_fit(self._schema, event, reply)
        self._output = event.output
        self._tokens = await self._count_tokens(event.usage, reply)
        self._has_reported_usage = event.usage is not None
        self._finish_reason, self._calls = event.finish_reason, event.tool_calls
        if self._turn is not None:
            result = memory.TurnResult(
                event.state,
                event.resume,
                self.core.number,
                self._request.message,
                reply,
                self._tokens.prompt_tokens,
                self._tokens.completion_tokens,
                beside_the_text(event, self._shown),
            )
            await turns.commit(self._turn, result)
        # A driver may say the whole reply by its deltas, a part of it, or none.
        return reply[sum(map(len, self._received)) :]

    async def _must_fit(self, schema: CallerSchema, event: scaicore.Finished, reply: str) -> None:
        """Raise `AnswerUnfit` for a whole answer that is not what was asked for, before anything is stored. A call, a
        refusal and an answer that was cut say so by themselves."""
        if event.tool_calls or event.refusal or event.finish_reason != "stop":
            return
        if misfit := await asyncio.to_thread(schema.find_misfit, reply):
            log.warning("run.unfit request_id=%s model=%s: %s", self._request_id, self._request.model, misfit)
            raise AnswerUnfit(f"The model's answer did not fit the `response_format`: {misfit}. Nothing was stored.")

    async def _count_tokens(self, reported: scaicore.Usage | None, reply: str) -> Tokens:
        """What the models reported; without a model, the words that went in and out."""
        if reported is None:
            prompt = await tokens.count_all(self._request.texts) + self._request.media_tokens
            reported = scaicore.Usage(prompt, await tokens.count_all([reply]))
        total = reported.prompt_tokens + reported.completion_tokens
        return Tokens(reported.prompt_tokens, reported.completion_tokens, total)

    def _count_delivered(self) -> Tokens:
        """What a run cost that did not come to its end, as far as it is known here: no model has reported yet."""
        # Joined, so that the count of a long conversation is estimated and holds nobody up.
        prompt, completion = (tokens.count("".join(texts)) for texts in (self._request.texts, self._received))
        prompt += self._request.media_tokens
        return Tokens(prompt, completion, prompt + completion)

    def span(self) -> Span:
        """The span of its work, to be entered."""
        if not tracing.is_active():
            return NO_SPAN
        return run_spans.around_run(
            self._caller,
            self.core,
            model=self._request.model,
            purpose=self._purpose,
            is_streamed=self._request.is_streamed,
        )

    def end(self, error: BaseException | None, span: Span) -> None:
        """Count the run, however it ended. Raises what a caller may know of a failure."""
        known = self._known_failure(error)
        outcome = Outcome.OK if error is None else OUTCOMES.get(type(known or error), Outcome.FAILED)
        # It only notes the row, without waiting: nothing may be awaited here for a caller who has hung up.
        self._record(outcome, find_cause(error) if error is not None else NO_CAUSE)
        if span is not NO_SPAN:
            run_spans.note_end(span, outcome, self._tokens, self._finish_reason)
        if known is not None:
            raise known from None

    def _known_failure(self, error: BaseException | None) -> CoreFailed | CoreTimedOut | None:
        if not isinstance(error, scaicore.RunTimedOut | scaicore.RunFailed):
            return None
        self._log_failure(error)
        return CoreTimedOut() if isinstance(error, scaicore.RunTimedOut) else core_failure(error)

    def _log_failure(self, error: scaicore.RunFailed | scaicore.RunTimedOut) -> None:
        log.warning(
            "run.failed request_id=%s model=%s version=%d node=%s: %s %s",
            self._request_id,
            self._request.model,
            self.core.number,
            error.node_id,
            getattr(error, "detail", error),
            getattr(error, "said", ""),
        )

    def _elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)

    def _record(self, outcome: Outcome, cause: Cause) -> None:
        if outcome is not Outcome.OK and (self._received or outcome is Outcome.CANCELLED):
            self._tokens = self._count_delivered()
        row = self._usage_row(outcome, cause)
        if self._tracer is None:
            usage.record(row)
        else:
            has_media = self._request.media_tokens > 0
            usage.record(row, self._tracer.nodes, traces.keep_input(self._request.input, has_media=has_media))
        if self.taken:
            call_limits.settle(
                self._caller, prompt=self._tokens.prompt_tokens, completion=self._tokens.completion_tokens
            )

    def _usage_row(self, outcome: Outcome, cause: Cause) -> usage.UsageRow:
        caller = self._caller
        return usage.UsageRow(
            at=datetime.now(UTC),
            request_id=self._request_id,
            tenant_id=caller.tenant_id,
            user_id=caller.user_id,
            key_id=caller.key_id,
            core_id=caller.core_id,
            core_version=self.core.number,
            model=self._request.model,
            purpose=self._purpose,
            is_streamed=self._request.is_streamed,
            outcome=outcome.value,
            prompt_tokens=self._tokens.prompt_tokens,
            completion_tokens=self._tokens.completion_tokens,
            duration_ms=self._elapsed_ms(),
            first_token_ms=self._first_token_ms,
            reason=cause.reason,
            node_id=cause.node_id,
        )


class Watched:
    """While a run works: whatever ends it, the run is counted once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._span = run.span()

    def __enter__(self) -> None:
        """What it does from now on belongs to its span."""
        self._span.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Count the run; a failure of its driver becomes one that callers may see."""
        try:
            self._run.end(error, self._span)
        finally:
            self._span.__exit__(kind, error, traceback)


def _unsent(text: str, refusal: str) -> list[Piece]:
    """The pieces of what of a reply was not sent yet; `refusal` is the end of the reply."""
    if not refusal:
        return [Piece(text)]
    size = min(len(refusal), len(text))
    pieces = [Piece(text[: len(text) - size]), Piece(text[len(text) - size :], "refusal")]
    return [piece for piece in pieces if piece.text]

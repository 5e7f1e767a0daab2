"""One run of a Core: its events, its deadline, its text for the caller, and the record of how it ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import scaicore
from chatapi import traces, turns, usage
from chatapi.chat_request import ChatRequest
from chatapi.chat_response import FinishReason, Tokens
from chatapi.errors import ChatError, CoreFailed, CoreTimedOut
from chatapi.models import Outcome
from chatapi.stops import StopFilter
from publishing import memory
from publishing.registry import AllowedCall, LiveCore
from scaicore import tokens
from scaicore.services import Services

log = logging.getLogger(__name__)

ENDED_BY: dict[type[BaseException], Outcome] = {
    CoreFailed: Outcome.FAILED,
    CoreTimedOut: Outcome.TIMED_OUT,
    asyncio.CancelledError: Outcome.CANCELLED,
    GeneratorExit: Outcome.CANCELLED,
}


class Run:
    """A run on behalf of one caller. `text` gives its reply once; afterwards `tokens` and `output` are set.

    Close it whatever happens: that gives back the memory that it holds.
    """

    def __init__(
        self,
        *,
        caller: AllowedCall,
        core: LiveCore,
        asked: ChatRequest,
        purpose: str,
        turn: memory.LeasedTurn | None,
        request_id: str,
        deadline_s: float,
        services: Services,
        entry: str | None = None,
    ) -> None:
        self.tokens = Tokens(0, 0, 0)
        self.output: dict[str, Any] = {}
        self.has_reported_usage = False
        self.finish_reason: FinishReason = "stop"
        self._caller = caller
        self._core = core
        self._asked = asked
        self._purpose = purpose
        self._turn = turn
        self._request_id = request_id
        self._deadline_s = deadline_s
        self._services = services
        self._entry = entry
        self._started = time.monotonic()
        self._first_token_ms: int | None = None
        self._sent: list[str] = []
        self._tracer = traces.Tracer() if core.program.program.tracing else None

    async def text(self) -> AsyncGenerator[str]:
        """The pieces of the reply, cut at the caller's stop sequences. However it ends, the run is counted once.

        Raises `CoreFailed` or `CoreTimedOut`; closing it early cancels the run.
        """
        outcome = Outcome.FAILED
        stops = StopFilter(self._asked.stop)
        try:
            async with aclosing(self._pieces()) as pieces:
                async for piece in pieces:
                    if shown := stops.feed(piece):
                        self._note_first_token()
                        yield shown
            if rest := stops.rest():
                yield rest
            outcome = Outcome.OK
        except BaseException as error:
            outcome = ENDED_BY.get(type(error), Outcome.FAILED)
            raise
        finally:
            self._record(outcome)

    async def aclose(self) -> None:
        """Give the memory back, unchanged unless the turn was committed."""
        if self._turn is not None:
            await self._turn.release()

    async def _pieces(self) -> AsyncGenerator[str]:
        """The reply as the driver gives it: its deltas, then what the output holds beyond them."""
        driver = scaicore.DRIVERS[self._core.driver]
        try:
            async with aclosing(driver.run(self._request())) as events:
                async for event in events:
                    if self._tracer is not None:
                        self._tracer.hear(event)
                    if isinstance(event, scaicore.TextDelta):
                        self._sent.append(event.text)
                        yield event.text
                    elif isinstance(event, scaicore.Finished) and (rest := await self._finished(event)):
                        yield rest
        except scaicore.RunTimedOut as error:
            raise self._told(CoreTimedOut(), error) from None
        except scaicore.RunFailed as error:
            raise self._told(CoreFailed(), error) from None

    def _request(self) -> scaicore.RunRequest:
        asked = self._asked
        return scaicore.RunRequest(
            program=self._core.program,
            input=asked.input,
            entity_id=asked.entity_id,
            state=self._turn.state if self._turn else {},
            resume=self._turn.resume if self._turn else None,
            now=self._turn.now if self._turn else time.time(),
            deadline_s=self._deadline_s,
            services=self._services,
            origin=scaicore.Origin(self._caller.core_id, self._core.number, self._request_id),
            entry=self._entry,
        )

    async def _finished(self, event: scaicore.Finished) -> str:
        """What of the reply was not sent yet, once the turn is written: no answer is whole before its memory is."""
        self.output = event.output
        self.has_reported_usage = event.usage is not None
        self.finish_reason = "length" if event.finish_reason == "length" else "stop"
        reply = scaicore.response_text(event.output)
        self.tokens = self._counted(event.usage, reply)
        if self._turn is not None:
            outcome = memory.TurnResult(
                event.state,
                event.resume,
                self._core.number,
                self._asked.message,
                reply,
                self.tokens.prompt_tokens,
                self.tokens.completion_tokens,
            )
            await turns.commit(self._turn, outcome)
        return reply[sum(map(len, self._sent)) :]

    def _counted(self, reported: scaicore.Usage | None, reply: str) -> Tokens:
        """What the models reported; without a model, the words that went in and out."""
        if reported is None:
            prompt = sum(tokens.count(text) for text in self._asked.texts)
            reported = scaicore.Usage(prompt, tokens.count(reply))
        total = reported.prompt_tokens + reported.completion_tokens
        return Tokens(reported.prompt_tokens, reported.completion_tokens, total)

    def _told(self, refusal: ChatError, error: scaicore.RunFailed | scaicore.RunTimedOut) -> ChatError:
        log.warning(
            "run.failed request_id=%s model=%s version=%d node=%s: %s",
            self._request_id,
            self._asked.model,
            self._core.number,
            error.node_id,
            getattr(error, "detail", error),
        )
        return refusal

    def _note_first_token(self) -> None:
        if self._first_token_ms is None:
            self._first_token_ms = self._elapsed_ms()

    def _elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)

    def _record(self, outcome: Outcome) -> None:
        row = self._row(outcome)
        usage.record(row)
        if self._tracer is not None:
            trace = traces.TraceRow(
                row.at,
                row.request_id,
                row.tenant_id,
                row.user_id,
                row.core_id,
                row.core_version,
                row.outcome,
                row.duration_ms,
                self._tracer.nodes,
            )
            usage.keep(trace)

    def _row(self, outcome: Outcome) -> usage.UsageRow:
        caller = self._caller
        return usage.UsageRow(
            at=datetime.now(UTC),
            request_id=self._request_id,
            tenant_id=caller.tenant_id,
            user_id=caller.user_id,
            key_id=caller.key_id,
            core_id=caller.core_id,
            core_version=self._core.number,
            model=self._asked.model,
            purpose=self._purpose,
            is_streamed=self._asked.is_streamed,
            outcome=outcome.value,
            prompt_tokens=self.tokens.prompt_tokens,
            completion_tokens=self.tokens.completion_tokens,
            duration_ms=self._elapsed_ms(),
            first_token_ms=self._first_token_ms,
        )

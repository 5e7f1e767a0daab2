"""Language models for the flows of one tenant, from any server that speaks OpenAI's chat protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import Final

import msgspec

from publishing import providers
from publishing.clients import model_answers, spans
from publishing.clients.model_answers import Parts, Question
from publishing.providers import Provider
from scaicore.services import (
    MAY_PASS,
    ModelCall,
    ModelChoice,
    ModelEnd,
    ModelRefusal,
    ModelText,
    ServiceFailed,
    ToolCallPart,
)

log = logging.getLogger(__name__)

LONGEST_S: Final = 600.0


class TenantModelClient:
    """A `scaicore.services.ModelClient`. Providers are looked up at each call, so a change counts from the next one."""

    def __init__(self, tenant_id: str) -> None:
        self._tenant_id = tenant_id

    async def stream(self, call: ModelCall) -> Parts:
        """The answer of the first choice that gives one; after its first token there is no other."""
        until = asyncio.get_running_loop().time() + min(call.timeout_s or LONGEST_S, LONGEST_S)
        known = await providers.find(self._tenant_id, {choice.ref for choice in call.choices})
        failures: list[ServiceFailed] = []
        for choice in call.choices:
            has_begun = False
            try:
                async with aclosing(self._answer(known.get(choice.ref), choice, call, until)) as parts:
                    async for part in parts:
                        has_begun = has_begun or isinstance(part, ModelText | ModelRefusal | ToolCallPart)
                        yield _reported(part, failures) if isinstance(part, ModelEnd) else part
                return
            except ServiceFailed as error:
                log.warning(
                    "model.failed tenant=%s model=%r: %s %s", self._tenant_id, str(choice), error.reason, error.said
                )
                error.said = f"{choice}: {error.said or error.reason}"
                failures.append(error)
            if has_begun or failures[-1].is_final:
                break
        raise _worst(failures)

    async def _answer(self, provider: Provider | None, choice: ModelChoice, call: ModelCall, until: float) -> Parts:
        """One choice's answer, or a failure."""
        if provider is None:
            raise ServiceFailed("unconfigured")
        provider = replace(provider, options=choice.options.over(provider.options))
        question = Question(self._tenant_id, choice.ref, choice.model, provider, call, until, [])
        try:
            with spans.model_call(choice, provider) as span:
                async with aclosing(model_answers.answer(question)) as parts:
                    async for part in parts:
                        if isinstance(part, ModelEnd):
                            spans.note_end(span, part)
                        yield part
        finally:
            for field, said in question.refused:
                log.info("model.adapted tenant=%s model=%r: %s refused: %s", self._tenant_id, str(choice), field, said)


def _reported(end: ModelEnd, failures: Iterable[ServiceFailed]) -> ModelEnd:
    return msgspec.structs.replace(end, failures=tuple(failure.said for failure in failures))


def _worst(failures: list[ServiceFailed]) -> ServiceFailed:
    """The last failure that may pass, since then the whole call may; without one, the last."""
    if not failures:
        return ServiceFailed("unconfigured")
    told = next((each for each in reversed(failures) if each.reason in MAY_PASS), failures[-1])
    told.said = "; ".join(each.said for each in failures)
    return told

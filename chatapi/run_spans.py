"""The span of a run, by OpenTelemetry's names for agents; nothing of what was said is in it."""

from __future__ import annotations

from chatapi.chat_response import FinishReason, Tokens
from chatapi.models import Outcome
from publishing.process import tracing
from publishing.process.tracing import Span
from publishing.registry import AllowedCall, LiveCore


def around_run(caller: AllowedCall, core: LiveCore, *, model: str, purpose: str, is_streamed: bool) -> Span:
    """A span for a run of `core`; all that happens inside belongs to it."""
    about: dict[str, str | bool] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "scaigrid",
        "gen_ai.request.model": model,
        "gen_ai.request.stream": is_streamed,
        "gen_ai.agent.id": caller.core_id,
        "gen_ai.agent.name": model,
        "gen_ai.agent.version": str(core.number),
        "scaigrid.tenant.id": caller.tenant_id,
        "scaigrid.run.purpose": purpose,
    }
    return tracing.span(f"invoke_agent {model}", "internal", about)


def note_end(span: Span, outcome: Outcome, tokens: Tokens, finish_reason: FinishReason) -> None:
    """How the run ended, and what it used."""
    used = {
        "gen_ai.usage.input_tokens": tokens.prompt_tokens,
        "gen_ai.usage.output_tokens": tokens.completion_tokens,
    }
    if outcome is Outcome.OK:
        span.note({**used, "gen_ai.response.finish_reasons": finish_reason})
    else:
        span.note(used, error=outcome.value)

"""Spans of what a flow asks of others. Of a URL only the host is in them: paths and queries may hold anything."""

from __future__ import annotations

from urllib.parse import urlsplit

from publishing.process import tracing
from publishing.process.tracing import NO_SPAN, Span
from publishing.providers import Provider
from scaicore.services import ModelChoice, ModelEnd


def model_call(choice: ModelChoice, provider: Provider) -> Span:
    """Around one question to a language model."""
    if not tracing.is_active():
        return NO_SPAN
    about = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": choice.ref,
        "gen_ai.request.model": choice.model,
        **_server(provider.base_url),
    }
    return tracing.span(f"chat {choice.model}", "client", about)


def note_end(span: Span, end: ModelEnd) -> None:
    """What the model said of its answer."""
    span.note(
        {
            "gen_ai.response.finish_reasons": end.finish_reason,
            **({} if end.prompt_tokens is None else {"gen_ai.usage.input_tokens": end.prompt_tokens}),
            **({} if end.completion_tokens is None else {"gen_ai.usage.output_tokens": end.completion_tokens}),
        }
    )


def remote_call(core_id: str, url: str) -> Span:
    """Around one turn of a Core whose program lives elsewhere."""
    if not tracing.is_active():
        return NO_SPAN
    about = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.id": core_id, **_server(url)}
    return tracing.span(f"invoke_agent {core_id}", "client", about)


def http_call(method: str, host: str) -> Span:
    """Around one request of a node; whoever is asked is not told of the trace."""
    if not tracing.is_active():
        return NO_SPAN
    return tracing.span(method, "client", {"http.request.method": method, "server.address": host})


def _server(url: str) -> dict[str, str]:
    return {"server.address": urlsplit(url).hostname or ""}

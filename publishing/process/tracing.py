"""What a call does, as spans of a trace; nothing is done, and nothing brought along, where that is off.

    tracing.activate(OpenTelemetry())                       # once, where OTEL_EXPORTER_OTLP_ENDPOINT is set
    with tracing.span("chat gpt-5", "client", {"gen_ai.request.model": "gpt-5"}) as span:
        sent |= tracing.headers()                           # a `traceparent`, for whoever goes on with the trace
        span.note({"gen_ai.usage.output_tokens": 12})

Names are OpenTelemetry's for generative AI. A span holds names, counts, times and how it ended: never a prompt, an
answer, a key or a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Final, Literal, Protocol, Self

Kind = Literal["server", "internal", "client"]
Attributes = Mapping[str, str | int | float | bool]


class BegunSpan(Protocol):
    """A span that has begun, as the tracing library knows it."""

    def end(self, attributes: Attributes, error: str) -> None:
        """It ends now; `error` names what went wrong, and is empty where nothing did."""

    def headers(self) -> dict[str, str]:
        """What tells a server that its work belongs to this span."""


class Backend(Protocol):
    """A tracing library."""

    def begin(
        self, name: str, kind: Kind, attributes: Attributes, parent: BegunSpan | Mapping[str, str] | None
    ) -> BegunSpan:
        """A span under `parent`: one of this process, or what a caller's headers say of theirs."""


class Span:
    """A span around what runs inside it; spans that begin there are its children.

    It may be entered and left by different tasks, as happens to a stream whose reader goes: so it puts back what was
    current before instead of taking a token back.
    """

    def __init__(
        self, name: str, kind: Kind, attributes: Attributes, received: Mapping[str, str] | None = None
    ) -> None:
        self._begin = (name, kind, attributes)
        self._received = received
        self._noted: dict[str, str | int | float | bool] = {}
        self._error = ""
        self._before: BegunSpan | None = None
        self._recorded: BegunSpan | None = None

    def note(self, attributes: Attributes, *, error: str = "") -> None:
        """Say more of it, known later than its begin."""
        self._noted.update(attributes)
        self._error = error or self._error

    def __enter__(self) -> Self:
        """Begin, under the span around it."""
        if _backend is not None:
            self._before = _current.get()
            self._recorded = _backend.begin(*self._begin, self._before or self._received)
            _current.set(self._recorded)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End, with the kind of error that ended it."""
        if self._recorded is not None:
            _current.set(self._before)
            self._recorded.end(self._noted, self._error or _kind_of(error))


class NoSpan(Span):
    """What stands for a span while nothing is traced."""

    def __init__(self) -> None:
        """Nothing is kept."""

    def note(self, attributes: Attributes, *, error: str = "") -> None:
        """Nothing."""

    def __enter__(self) -> Self:
        """Nothing begins."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing ends."""


def _kind_of(error: BaseException | None) -> str:
    """A word for it. Its text may hold anything, so that is not told."""
    if error is None:
        return ""
    if isinstance(error, GeneratorExit | asyncio.CancelledError):
        return "cancelled"
    return str(getattr(error, "reason", type(error).__name__))


NO_SPAN: Final = NoSpan()
_current: ContextVar[BegunSpan | None] = ContextVar("span", default=None)
_backend: Backend | None = None


def activate(backend: Backend | None) -> None:
    """Trace from now on, in this process; or no longer."""
    global _backend
    _backend = backend


def span(name: str, kind: Kind, attributes: Attributes, received: Mapping[str, str] | None = None) -> Span:
    """A span to be entered. `received`: headers of a caller who may trace, too."""
    return NO_SPAN if _backend is None else Span(name, kind, attributes, received)


def headers() -> dict[str, str]:
    """What tells a server that its work belongs to the current span."""
    current = _current.get()
    return {} if current is None else current.headers()


def is_active() -> bool:
    """Whether anything is traced."""
    return _backend is not None

"""One run of one node: what it may read and use, and what it reports besides its result."""

import math
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from scaicore.errors import RunTimedOut
from scaicore.jsondata import Json
from scaicore.language.templates import Template
from scaicore.services import FinishReason, Services, TextKind, ToolCall, ToolCallPart

NO_SERVICES: Final = Services()
STATE: Final = "state"


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that a model calls: a node of the flow by its id, or `work` of its own under a name for the trace. `call`
    is the id of the model's call."""

    id: str
    kind: str
    arguments: dict[str, Json]
    call: str
    work: "Callable[[NodeRun], Awaitable[Json]] | None" = None


class WatchedScope(dict[str, Json]):
    """A scope that remembers what a node reads of it, for whoever watches the run."""

    def __init__(self, scope: dict[str, Json]) -> None:
        super().__init__(scope)
        self.read: dict[str, Json] = {}

    def __getitem__(self, name: str) -> Json:
        value = super().__getitem__(name)
        # The state is the one value that changes while it stands in the scope.
        self.read.setdefault(name, dict(value) if isinstance(value, dict) and name == STATE else value)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, which counts as read if it is there."""
        if name not in self:
            return default
        return self[name]


@dataclass(slots=True)
class NodeRun:
    """One node at work: the scope it reads, the memory it may set, and what it has to say besides its result."""

    scope: dict[str, Json]
    state: dict[str, Json]
    input: dict[str, Json]
    services: Services = NO_SERVICES
    started_at: float = 0.0  # by the monotonic clock
    until: float = math.inf  # when it must have ended, by the same clock
    frame: Any = None  # the engine's own; nodes leave it alone
    warnings: list[str] = field(default_factory=list)
    # What providers said that did not answer, for admins alone.
    provider_errors: list[str] = field(default_factory=list)
    emit_text: Callable[[str, TextKind], Awaitable[None]] | None = None
    emit_call: Callable[[ToolCallPart], Awaitable[None]] | None = None
    run_tool: Callable[[ToolUse], Awaitable[Json]] | None = None  # raises what the tool raises
    has_streamed: bool = False
    finish_reason: FinishReason = "stop"
    refusal: str = ""  # the end of the result, if a model declined in these words
    tool_calls: tuple[ToolCall, ...] = ()  # what the model asks of the caller; they end the turn
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    @property
    def read(self) -> dict[str, Json] | None:
        """What it has read of its scope by name; None where nobody watches the run, or nothing was read."""
        return (self.scope.read or None) if isinstance(self.scope, WatchedScope) else None

    def remaining(self) -> float:
        """Seconds that a call of the outside may take; RunTimedOut when there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise RunTimedOut
        return left

    async def stream_text(self, text: str, kind: TextKind = "content") -> None:
        """Send text of the response while it is still being written; nothing happens at a node that does not respond.
        Waits while the caller reads more slowly than the node writes."""
        if text and self.emit_text is not None:
            self.has_streamed = self.has_streamed or kind != "thought"  # what a model thinks is no answer yet
            await self.emit_text(text, kind)

    async def stream_call(self, part: ToolCallPart) -> None:
        """Send a part of a call of the caller's tools, as text is sent."""
        if self.emit_call is not None:
            self.has_streamed = True
            await self.emit_call(part)

    def spend(self, prompt_tokens: int, completion_tokens: int, *, is_counted: bool = False) -> None:
        """Add the tokens that a model reported; `is_counted` when another run of the request has counted them."""
        if not is_counted and self.services.budget is not None:
            self.services.budget.spend(prompt_tokens + completion_tokens)
        self.prompt_tokens = (self.prompt_tokens or 0) + prompt_tokens
        self.completion_tokens = (self.completion_tokens or 0) + completion_tokens

    def fill(self, template: Template) -> str:
        """The template's text from the scope; an empty placeholder becomes a warning."""
        missing: list[str] = []
        text = template.fill(self.scope, missing)
        if missing:
            self.miss(missing)
        return text

    def miss(self, paths: Iterable[str]) -> None:
        """Tell the owner of placeholders that stayed empty."""
        self.warnings.extend(f"`{{{{{path}}}}}` is empty: nothing has that name." for path in paths)

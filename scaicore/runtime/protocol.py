"""What goes into a run and what comes out of it: the contract between a driver and whoever starts a run."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, Final, Protocol

import msgspec

from scaicore.errors import RunFailed
from scaicore.jsondata import Json, compact
from scaicore.runtime.linker import Runnable
from scaicore.services import FinishReason, Services, TextKind, ToolCall, ToolCallPart

DEADLINE_S: Final = 300.0  # of a run whose starter names none


class Usage(msgspec.Struct, frozen=True):
    """Tokens that language models reported, summed over the run."""

    prompt_tokens: int
    completion_tokens: int


class TextDelta(msgspec.Struct, frozen=True, tag=True):
    """More text of the response. All deltas joined are a prefix of `response_text(output)`, which may go on after them;
    when no model streams, there are none. A delta of the kind `thought` is what a model thinks before it answers, and
    no part of that."""

    text: str
    kind: TextKind = "content"


class NodeStarted(msgspec.Struct, frozen=True, tag=True):
    """A node begins. Where a model calls it as a tool, `call` is the id of that call, here and at its end; `arguments`
    are those of the call."""

    node_id: str
    kind: str
    call: str = ""
    arguments: Any = None


class NodeFinished(msgspec.Struct, frozen=True, tag=True):
    """`result` is plain JSON data; `warnings` are sentences for the flow's owner, such as an empty placeholder.
    `provider_errors` are what servers said that did not answer, for admins alone. `read` is what the node read of its
    scope by name, where the run is watched; `usage` the tokens that models reported to it."""

    node_id: str
    kind: str
    duration_ms: float
    result: Any
    warnings: tuple[str, ...] = ()
    provider_errors: tuple[str, ...] = ()
    call: str = ""
    read: dict[str, Any] | None = None
    usage: Usage | None = None


class NodeFailed(msgspec.Struct, frozen=True, tag=True):
    """The node at which the run fails; the error itself is raised next. With a `call` it is a tool, whose model reads
    of it and goes on. `reason` is a key of `errors.REASONS`, or `timed_out`; the rest as above."""

    node_id: str
    kind: str
    duration_ms: float
    reason: str
    provider_errors: tuple[str, ...] = ()
    call: str = ""
    read: dict[str, Any] | None = None
    usage: Usage | None = None


class Finished(msgspec.Struct, frozen=True, tag=True):
    """The last event of a run that did not fail. `output` always holds `response`; `state` holds the declared variables
    and nothing else, to be read and not written; `usage` is None when no model reported any; `finish_reason` is
    `length` where a model's limit cut the response short, `content_filter` where a filter did, `tool_calls` where the
    model calls tools of the caller, else `stop`. Where the run waits for a decision, the response asks for it, and
    `resume` is the plain JSON with which the entity's next run goes on. `refusal` is the end of the response, if a
    model declined in these words, else empty. `tool_calls` are what the model asks of the caller: `output` holds them,
    too, and parts of them that were streamed before make the same."""

    output: dict[str, Any]
    usage: Usage | None
    state: dict[str, Any]
    finish_reason: FinishReason = "stop"
    resume: dict[str, Any] | None = None
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


class Origin(msgspec.Struct, frozen=True):
    """Which Core, by its id, runs in which version on behalf of which request."""

    core: str = ""
    version: int = 0
    request_id: str = ""


Event = TextDelta | ToolCallPart | NodeStarted | NodeFinished | NodeFailed | Finished


class RunRequest(msgspec.Struct, frozen=True):
    """One call of a Core. `input` holds `message`, `messages`, `params` and whatever else was sent; `state` is what
    was persisted of the entity; `entity_id` is None in stateless mode; `deadline_s` is in seconds. `resume` is what the
    entity's last run finished with, `now` the time in seconds since 1970, by a clock that all processes share.
    `entry` is the id of the node where the run begins; left out, it is the program's own. `is_watched`: what each node
    reads is told as well."""

    program: Runnable
    input: dict[str, Any]
    entity_id: str | None = None
    state: dict[str, Any] = {}
    deadline_s: float = DEADLINE_S
    services: Services = Services()
    resume: dict[str, Any] | None = None
    now: float = 0.0
    origin: Origin = Origin()
    entry: str | None = None
    is_watched: bool = False


class Driver(Protocol):
    """A way to run Cores. `run` raises RunFailed or RunTimedOut from the iteration; closing it stops every node, so
    whoever may leave early wraps it in `contextlib.aclosing`."""

    def run(self, request: RunRequest) -> AsyncGenerator[Event, None]: ...

    def calculate(self, request: RunRequest) -> Iterator[Event | None] | None:
        """The same events without an event loop, where nothing of the program waits; None where something may.
        Between them, None is the moment to let other work of the process have its turn."""
        ...


def response_text(output: dict[str, Json]) -> str:
    """The assistant's message of an output: its `response`, as compact JSON when it is not text."""
    return compact(output["response"])


async def collect(events: AsyncIterator[Event]) -> Finished:
    """The last event of a run whose other events nobody needs."""
    # Read to the end: a generator that is left earlier costs the event loop a task that closes it.
    last: Event | None = None
    async for event in events:
        last = event
    if not isinstance(last, Finished):
        raise RunFailed
    return last

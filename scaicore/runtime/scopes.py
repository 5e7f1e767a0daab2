"""What the nodes of a run read and remember: the scope with its names, and the state, the memory that is kept."""

from collections.abc import Iterable
from typing import Final

from scaicore.errors import RunFailed
from scaicore.jsondata import Json, compact, defect
from scaicore.language import variables
from scaicore.runtime.linker import Feed, Runnable
from scaicore.runtime.protocol import RunRequest

MAX_STATE: Final = 1_048_576  # bytes of JSON


def initial_state(runnable: Runnable, persisted: dict[str, Json]) -> dict[str, Json]:
    """The defaults, then what was persisted; a value that no longer fits its declaration is dropped for the default."""
    state = dict(runnable.defaults)
    if runnable.keeps_memory and persisted:
        for name, type_name in runnable.types.items():
            if name in persisted and variables.fits(persisted[name], type_name):
                state[name] = persisted[name]
    return state


def check_state(state: dict[str, Json]) -> None:
    """RunFailed when `state` is more than a Core may remember, or holds something that cannot be stored."""
    text = compact(state)
    if len(text.encode(errors="surrogatepass")) > MAX_STATE:
        raise RunFailed("state_too_large")
    # A walk through all values is slow; a NUL or half of a surrogate pair shows in the text as one of these.
    if ("\\u" in text or not text.isprintable()) and defect(state):
        raise RunFailed("not_plain_data")


def initial_scope(runnable: Runnable, request: RunRequest, state: dict[str, Json]) -> dict[str, Json]:
    """The input under its own names, with the state and the entity's id."""
    scope = dict(request.input)
    # A caller must not be able to put a value under the name of a node that has not run yet: a condition that asks
    # for that node's result would believe it.
    if not runnable.made.isdisjoint(scope):
        scope = {name: value for name, value in scope.items() if name not in runnable.made}
    scope["state"] = state
    if request.entity_id is not None:
        scope["entity_id"] = request.entity_id
    return scope


def as_input(arguments: dict[str, Json]) -> dict[str, Json]:
    """Arguments as a tool finds them in its scope. A `message` is a conversation of its own: what the flow's caller
    said is no part of what the model asks."""
    if "message" not in arguments:
        return arguments
    return arguments | {"messages": [{"role": "user", "content": compact(arguments["message"])}], "params": {}}


def read_feeds(feeds: Iterable[Feed], scope: dict[str, Json]) -> dict[str, Json]:
    """The values of data edges: the source's result, or the field of it that is named like the source port."""
    values = {}
    for feed in feeds:
        result = scope.get(feed.source)
        values[feed.port] = result.get(feed.source_port, result) if isinstance(result, dict) else result
    return values

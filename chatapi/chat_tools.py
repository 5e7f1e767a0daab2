"""The caller's own tools: what a request may offer, and whether each call in its conversation has its result."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from chatapi.errors import refused_field
from scaicore.language.json_schemas import find_outside_reference

MOST_TOOLS: Final = 128
NAME: Final = r"^[A-Za-z0-9_-]{1,64}\Z"


class OfferedFunction(Struct):
    """A function that the caller can run."""

    name: Annotated[str, Meta(pattern=NAME)]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class OfferedTool(Struct):
    """A tool that the caller offers."""

    type: Literal["function"]
    function: OfferedFunction


class CalledFunction(Struct):
    """What an assistant called; the arguments are the text that it wrote, JSON or not."""

    name: str
    arguments: str


class MessageCall(Struct):
    """A call in an assistant's message."""

    id: str
    function: CalledFunction
    type: Literal["function"] = "function"


OfferedTools = Annotated[list[OfferedTool], Meta(max_length=MOST_TOOLS)]


def check(params: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    """Refuse an offer that no model could take up, and a conversation in which calls and results do not match."""
    tools: list[dict[str, Any]] = params.get("tools") or []
    for index, tool in enumerate(tools):
        if outside := find_outside_reference(tool["function"].get("parameters")):
            path = f"tools[{index}].function.parameters"
            raise refused_field(path, f"`{path}` refers to `{outside[:80]}`, and nothing is fetched. Write it out.")
    _check_choice(params.get("tool_choice"), [tool["function"]["name"] for tool in tools])
    _check_results(messages)


def _check_choice(choice: Any, names: list[str]) -> None:
    if choice in (None, "none", "auto"):
        return
    if not names:
        raise refused_field("tool_choice", "`tool_choice` needs `tools` to choose from. Send them, or leave it out.")
    if choice == "required":
        return
    function = choice.get("function") if isinstance(choice, dict) and choice.get("type") == "function" else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        kinds = '`none`, `auto`, `required` or `{"type": "function", "function": {"name": …}}`'
        raise refused_field("tool_choice", f"`tool_choice` must be {kinds}.")
    if function["name"] not in names:
        message = f"`tool_choice` names `{function['name'][:64]}`, which is not among `tools`."
        raise refused_field("tool_choice.function.name", message)


def _check_results(messages: list[dict[str, Any]]) -> None:
    """Each call must be answered by one `tool` message, right behind the message that called."""
    caller, waiting = "", set[str]()
    for index, said in enumerate(messages):
        path = f"messages[{index}]"
        if said["role"] == "tool":
            _take_result(said, path, waiting)
            continue
        _must_be_answered(waiting, caller)
        calls = said.get("tool_calls") if said["role"] == "assistant" else None
        caller, waiting = path, {call["id"] for call in calls or ()}
        if len(waiting) < len(calls or ()):
            raise refused_field(f"{path}.tool_calls", f"`{path}.tool_calls` has two calls with one id.")
    _must_be_answered(waiting, caller)


def _take_result(said: dict[str, Any], path: str, waiting: set[str]) -> None:
    field = f"{path}.tool_call_id"
    answered = said.get("tool_call_id")
    if answered is None:
        raise refused_field(field, f"`{field}` is required.", "missing_required_parameter")
    if answered not in waiting:
        message = (
            f"`{field}` is `{answered[:64]}`, which is no call of the assistant's message before, or answered above."
        )
        raise refused_field(field, message)
    waiting.remove(answered)


def _must_be_answered(waiting: set[str], path: str) -> None:
    if waiting:
        ids = ", ".join(f"`{each[:64]}`" for each in sorted(waiting)[:5])
        raise refused_field(
            path, f"The calls {ids} of `{path}` have no result. Send a `tool` message for each, right behind it."
        )

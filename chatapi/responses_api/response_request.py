"""A request of `/v1/responses`, read strictly and in one place."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from chatapi import chat_request, field_refusals
from chatapi.chat_request import Metadata, Text64
from chatapi.chat_tools import MOST_TOOLS, NAME
from chatapi.errors import refused_field
from chatapi.responses_api import items
from chatapi.responses_api.items import Item

UNSUPPORTED: Final = {
    "background": "Responses are not made in the background. Leave `background` out, and read the stream.",
    "conversation": "Conversations are not kept as objects. Go on from a response by `previous_response_id`.",
    "prompt": "Prompt templates are not kept here. Send the text as `instructions` and `input`.",
    "top_logprobs": "This server does not support `top_logprobs`. Leave it out.",
}
LOGPROBS: Final = "message.output_text.logprobs"


class TextOptions(Struct):
    """What shape the answer is to have."""

    format: dict[str, Any] | None = None
    verbosity: str | None = None


class ReasoningOptions(Struct):
    """How long a model is to think."""

    effort: str | None = None
    summary: str | None = None


class ResponseTool(Struct):
    """A function that the caller can run."""

    type: Literal["function"]
    name: Annotated[str, Meta(pattern=NAME)]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ResponseBody(Struct):
    """The fields that are used or passed on, with the types and ranges of OpenAI's own description."""

    model: Annotated[str, Meta(max_length=512)]
    input: str | list[Item]
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = None
    store: bool | None = None
    entity_id: str | None = None
    max_output_tokens: Annotated[int, Meta(ge=16)] | None = None
    max_tool_calls: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: Annotated[list[dict[str, Any]], Meta(max_length=MOST_TOOLS)] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    reasoning: ReasoningOptions | None = None
    truncation: Literal["auto", "disabled"] | None = None
    include: list[str] | None = None
    metadata: Metadata | None = None
    user: str | None = None
    safety_identifier: Text64 | None = None
    prompt_cache_key: str | None = None
    background: bool | None = None
    conversation: Any = None
    prompt: Any = None


class ResponseRequest(Struct, frozen=True):
    """A request, understood: its fields, its items as they are stored, and its tools as the chat has them."""

    given: ResponseBody
    items: list[Item]
    tools: list[dict[str, Any]]
    body: bytes
    ignored: tuple[str, ...]


USED: Final = frozenset(ResponseBody.__struct_fields__) - {"include", "max_tool_calls"}


def parse(body: bytes) -> ResponseRequest:
    """The request in `body`. Raises `BodyInvalid` or `FieldInvalid`."""
    raw = chat_request.json_object(body)
    try:
        given = msgspec.convert(raw, ResponseBody)
    except msgspec.ValidationError as error:
        raise field_refusals.explain(error) from None
    _check_supported(given)
    tools = [_chat_tool(tool, f"tools[{index}]") for index, tool in enumerate(given.tools or ())]
    return ResponseRequest(given, items.read(given.input), tools, body, tuple(_ignored(raw, given)))


def _check_supported(given: ResponseBody) -> None:
    """Refuse what would make another answer than the one that the caller waits for."""
    for name, message in UNSUPPORTED.items():
        if getattr(given, name):
            raise refused_field(name, message, "unsupported_parameter")
    if LOGPROBS in (given.include or ()):
        message = f"This server does not support `{LOGPROBS}`. Leave it out."
        raise refused_field("include", message, "unsupported_parameter")


def _chat_tool(tool: dict[str, Any], path: str) -> dict[str, Any]:
    kind = tool.get("type")
    if isinstance(kind, str) and kind != "function":
        message = (
            f"Tools of the type `{kind[:64]}` are OpenAI's own, and none of them runs here. "
            "Offer functions of your own, or give the flow a tool."
        )
        raise refused_field(f"{path}.type", message, "unsupported_parameter")
    try:
        function = msgspec.convert(tool, ResponseTool)
    except msgspec.ValidationError as error:
        raise field_refusals.explain(error, at=path) from None
    named = {name: value for name, value in msgspec.structs.asdict(function).items() if value is not None}
    del named["type"]
    return {"type": "function", "function": named}


def _ignored(raw: dict[str, Any], given: ResponseBody) -> list[str]:
    """The fields that have no effect; `tools` have one on Cores that call them."""
    names = [name for name in raw if name not in USED and raw[name] not in (None, [])]
    if given.tools:
        names.append("tools")
    if given.tool_choice in ("none", "auto"):
        names.append("tool_choice")
    if given.truncation == "auto":
        names.append("truncation")
    if given.reasoning is not None and given.reasoning.summary is not None:
        names.append("reasoning.summary")
    return [name for name in names if chat_request.is_header_safe(name)][:64]


def chat_params(request: ResponseRequest) -> dict[str, Any]:
    """The sampling fields, by the names that the chat has for them."""
    given = request.given
    text, reasoning = given.text or TextOptions(), given.reasoning or ReasoningOptions()
    found = {
        "max_completion_tokens": given.max_output_tokens,
        "temperature": given.temperature,
        "top_p": given.top_p,
        "reasoning_effort": reasoning.effort,
        "verbosity": text.verbosity,
        "parallel_tool_calls": given.parallel_tool_calls,
        "user": given.user,
        "safety_identifier": given.safety_identifier,
        "prompt_cache_key": given.prompt_cache_key,
        "metadata": given.metadata,
        "tools": request.tools or None,
        "tool_choice": _chat_choice(given.tool_choice),
        "response_format": _chat_format(text.format),
    }
    return {name: value for name, value in found.items() if value is not None}


def demands(params: dict[str, Any]) -> dict[str, str]:
    """What the Core must be able to do, besides answering by a text, with the path of the field that asks for it."""
    found = {}
    if params.get("tool_choice") not in (None, "none", "auto"):
        found["tool_choice"] = "tool_choice"
    if "response_format" in params:
        found["response_format"] = "text.format"
    return found


def _chat_choice(choice: Any) -> Any:
    if not isinstance(choice, dict):
        return choice
    if choice.get("type") != "function" or not isinstance(choice.get("name"), str):
        message = '`tool_choice` must be `none`, `auto`, `required` or `{"type": "function", "name": …}`.'
        raise refused_field("tool_choice", message, "unsupported_parameter")
    return {"type": "function", "function": {"name": choice["name"]}}


def _chat_format(wanted: dict[str, Any] | None) -> dict[str, Any] | None:
    if wanted is None or wanted.get("type") == "text":
        return None
    if wanted.get("type") != "json_schema":
        return wanted
    named = ("name", "schema", "description", "strict")
    return {"type": "json_schema", "json_schema": {name: wanted[name] for name in named if name in wanted}}

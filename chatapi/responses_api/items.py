"""The items of a request: read strictly, brought into the shape in which they are stored, and said as chat messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from chatapi import field_refusals
from chatapi.errors import refused_field

Item = dict[str, Any]
MOST_ITEMS: Final = 2_000
READ: Final = ("message", "function_call", "function_call_output", "reasoning", "item_reference")


class InputPart(Struct):
    """A part of a message, or of a function's result."""

    type: Literal["input_text", "output_text", "text", "refusal", "input_image", "input_file", "input_audio"]
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    file_data: str | None = None
    filename: str | None = None
    input_audio: dict[str, Any] | None = None


class InputMessage(Struct):
    """Something that somebody said."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[InputPart]


class InputCall(Struct):
    """A call that the assistant made."""

    call_id: str
    name: str
    arguments: str


class InputResult(Struct):
    """What a call gave."""

    call_id: str
    output: str | list[InputPart]


class Conversation(NamedTuple):
    """Chat messages, with the path of the item that each was made of."""

    messages: list[dict[str, Any]]
    paths: list[str]


def read(given: str | list[Item]) -> list[Item]:
    """The items of `input`, each as it is stored, still without an id; a reference stays one. Raises `FieldInvalid`."""
    if isinstance(given, str):
        return [_message(InputMessage("user", given), "input")]
    if not given:
        raise refused_field("input", "`input` must hold at least one item.")
    if len(given) > MOST_ITEMS:
        raise refused_field("input", f"`input` holds at most {MOST_ITEMS} items.")
    return [_read(item, f"input[{index}]") for index, item in enumerate(given)]


def referred(items: Sequence[Item]) -> list[str]:
    """The ids of the items that are only referred to."""
    return [item["id"] for item in items if item["type"] == "item_reference"]


def _read(item: Item, path: str) -> Item:
    kind = item.get("type") or ("message" if "role" in item else "item_reference" if "id" in item else None)
    if kind == "message":
        return _message(_convert(item, InputMessage, path), path)
    if kind == "function_call":
        call = _convert(item, InputCall, path)
        return {"type": kind, **msgspec.structs.asdict(call), "status": "completed"}
    if kind == "function_call_output":
        result = _convert(item, InputResult, path)
        return {"type": kind, "call_id": result.call_id, "output": _output(result, path), "status": "completed"}
    if kind == "reasoning":
        return {"type": kind, "summary": []}
    if kind == "item_reference" and isinstance(item.get("id"), str):
        return {"type": kind, "id": item["id"], "path": path}
    if not isinstance(kind, str):
        raise refused_field(f"{path}.type", f"`{path}.type` is required.", "missing_required_parameter")
    known = ", ".join(f"`{name}`" for name in READ)
    message = f"Items of the type `{kind[:64]}` are not read here. Those that are: {known}."
    raise refused_field(f"{path}.type", message, "unsupported_parameter")


Kind = InputMessage | InputCall | InputResult


def _convert(item: Item, kind: type[Any], path: str) -> Any:
    try:
        return msgspec.convert(item, kind)
    except msgspec.ValidationError as error:
        raise field_refusals.explain(error, at=path) from None


def _message(said: InputMessage, path: str) -> Item:
    content = said.content
    if isinstance(content, str):
        content = [InputPart("input_text", content)]
    elif not content:
        raise refused_field(f"{path}.content", f"`{path}.content` must contain at least one part.")
    is_assistant = said.role == "assistant"
    parts = [_part(part, f"{path}.content[{index}]", is_assistant) for index, part in enumerate(content)]
    return {"type": "message", "role": said.role, "content": parts, "status": "completed"}


def _output(result: InputResult, path: str) -> str | list[Item]:
    if isinstance(result.output, str):
        return result.output
    return [_part(part, f"{path}.output[{index}]", False) for index, part in enumerate(result.output)]


def _part(part: InputPart, path: str, is_assistant: bool) -> Item:
    if part.type == "refusal":
        return {"type": "refusal", "refusal": _required(part.refusal, f"{path}.refusal")}
    if part.type in ("input_text", "output_text", "text"):
        text = _required(part.text, f"{path}.text")
        return output_text(text) if is_assistant else {"type": "input_text", "text": text}
    if part.file_id is not None:
        raise refused_field(f"{path}.file_id", "No files are stored here. Send the bytes themselves.")
    if part.type == "input_image":
        url = _required(part.image_url, f"{path}.image_url")
        return {"type": part.type, "image_url": url, "detail": part.detail or "auto"}
    if part.type == "input_audio":
        return {"type": part.type, "input_audio": part.input_audio}
    if part.file_url is not None:
        message = "Files are not fetched here. Send the bytes as `file_data`."
        raise refused_field(f"{path}.file_url", message, "unsupported_parameter")
    data = _required(part.file_data, f"{path}.file_data")
    return {"type": part.type, "file_data": data} | ({"filename": part.filename} if part.filename else {})


def _required(value: str | None, path: str) -> str:
    if value is None:
        raise refused_field(path, f"`{path}` is required.", "missing_required_parameter")
    return value


def output_text(text: str) -> Item:
    """A part of an answer."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def converse(items: Sequence[tuple[str, Item]]) -> Conversation:
    """The items, each with its path, as chat messages: a call stands in the message of the assistant that made it."""
    found = Conversation([], [])
    is_open = False  # whether the last message is one of the assistant's, with no other item since
    for path, item in items:
        if item["type"] == "reasoning":
            continue  # no model takes back what another has thought
        last = found.messages[-1] if is_open else None
        if item["type"] == "function_call":
            if last is None:
                last = _append(found, path, {"role": "assistant", "content": None})
            function = {"name": item["name"], "arguments": item["arguments"]}
            last.setdefault("tool_calls", []).append({"id": item["call_id"], "type": "function", "function": function})
        elif item["type"] == "function_call_output":
            said = {"role": "tool", "tool_call_id": item["call_id"], "content": _content(item["output"])}
            _append(found, path, said)
        elif last is not None and item["role"] == "assistant" and last["content"] is None:
            last["content"] = _content(item["content"])
        else:
            _append(found, path, {"role": item["role"], "content": _content(item["content"])})
        is_open = item["type"] == "function_call" or item.get("role") == "assistant"
    return found


def _append(found: Conversation, path: str, message: dict[str, Any]) -> dict[str, Any]:
    found.messages.append(message)
    found.paths.append(path)
    return message


def _content(given: str | list[Item]) -> str | list[Item]:
    """A chat message's content; one text stands for itself, as most models' servers like it best."""
    if isinstance(given, str):
        return given
    parts = [_chat_part(part) for part in given]
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _chat_part(part: Item) -> Item:
    if part["type"] in ("input_text", "output_text"):
        return {"type": "text", "text": part["text"]}
    if part["type"] == "input_image":
        return {"type": "image_url", "image_url": {"url": part["image_url"], "detail": part["detail"]}}
    if part["type"] == "input_file":
        return {"type": "file", "file": {name: part[name] for name in ("filename", "file_data") if name in part}}
    return part

"""A scripted model that does all that is asked of it: it calls the first tool with arguments that fit, and answers with
JSON that fits, whole or streamed."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.upstream_answers import DONE, USAGE, chunk, completion, say
from tests.support.upstream_wire import Seen, Wire

TEXT = "Cool and dry."
SCALARS: dict[Any, Any] = {"integer": 3, "number": 1.5, "string": "word", "boolean": True}


async def talented(wire: Wire, seen: Seen) -> None:
    """Answer one request."""
    asked = seen.json
    if name := _called(asked):
        await _call(wire, asked, name)
    elif asked.get("stream"):
        await say(wire, _text(asked))
    else:
        await wire.whole(200, json.dumps(completion(_text(asked))).encode())


def example(schema: Any, root: Any) -> Any:
    """A value that fits a plain schema."""
    if "$ref" in schema:
        return example(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], root)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {name: example(part, root) for name, part in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [example(schema.get("items", {}), root)]
    return SCALARS.get(schema.get("type"))


def _called(asked: Any) -> str:
    """The tool to call now: the one that is forced, or the first as long as no result has come."""
    choice = asked.get("tool_choice")
    if isinstance(choice, dict):
        return str(choice["function"]["name"])
    tools = asked.get("tools")
    is_due = tools and choice != "none" and (asked["messages"][-1]["role"] != "tool" or choice == "required")
    return str(tools[0]["function"]["name"]) if is_due else ""


async def _call(wire: Wire, asked: Any, name: str) -> None:
    schema = next(tool["function"].get("parameters", {}) for tool in asked["tools"] if tool["function"]["name"] == name)
    value = example(schema, schema)
    if [word for word in _quoted(asked) if not word.isascii()]:
        value = {key: _quoted(asked)[0] if given == "word" else given for key, given in value.items()}
    arguments = json.dumps(value, ensure_ascii=False)
    made = {"id": f"call_{len(asked['messages'])}", "type": "function", "function": {"name": name, "arguments": ""}}
    if not asked.get("stream"):
        whole = {**made, "function": {"name": name, "arguments": arguments}}
        await wire.whole(200, json.dumps(completion(None, "tool_calls", tool_calls=[whole])).encode())
        return
    await wire.head()
    await wire.event(chunk(tool_calls=[{"index": 0, **made}]))
    for begin in range(0, len(arguments), 7):
        piece = {"index": 0, "function": {"arguments": arguments[begin : begin + 7]}}
        await wire.event(chunk(tool_calls=[piece]))
    await wire.event(chunk(finish="tool_calls"))
    await wire.event({"choices": [], "usage": USAGE})
    await wire.piece(DONE)
    await wire.end()


def _text(asked: Any) -> str:
    wanted = asked.get("response_format") or {}
    if wanted.get("type") == "json_object":
        return json.dumps(dict.fromkeys(_quoted(asked) or ["answer"], "word"))
    if wanted.get("type") != "json_schema":
        return TEXT
    schema = wanted["json_schema"]["schema"]
    return json.dumps(example(schema, schema))


def _quoted(asked: Any) -> list[str]:
    """The words that the last message has in quotation marks: a key to be used, or a name to be passed on."""
    return re.findall(r"'([^']+)'", str(asked["messages"][-1].get("content") or ""))

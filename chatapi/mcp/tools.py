"""The models that a key may call, as tools: what is listed is exactly what can be called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chatapi import call_headers, chat_request
from chatapi.chat_request import Invocation
from chatapi.errors import refused_field
from chatapi.mcp.messages import LONGEST_SHOWN, ParamsInvalid
from publishing import registry
from publishing.registry import ListedModel, LiveCore
from scaicore.language.arguments import find_misfit

PAGE: Final = 100
OWN: Final = ("message", "entity_id")
_MESSAGE: Final = {"type": "string", "minLength": 1, "description": "What to ask or tell it."}
_ENTITY: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": call_headers.MAX_ENTITY_ID,
    "description": "Names the conversation that it remembers: the same text continues it, another one begins anew.",
}


async def list_tools(key_id: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The result of `tools/list`: a page of the tools by name, behind the one that the cursor names."""
    cursor = params.get("cursor") or ""
    if not isinstance(cursor, str):
        raise ParamsInvalid("`cursor` must be one that this server gave.")
    models = [model for model in await registry.callable_models(key_id) if model.name > cursor]
    tools = [_describe(model, await registry.load(model.version_id)) for model in models[:PAGE]]
    return {"tools": tools} | ({"nextCursor": models[PAGE - 1].name} if len(models) > PAGE else {})


def model_of(params: Mapping[str, Any], tenant_id: str) -> str:
    """The name of the model that `tools/call` means, which need not exist."""
    name = params.get("name")
    if not isinstance(name, str):
        raise ParamsInvalid("`name` must be the name of a tool.")
    return f"scaicore/{tenant_id}/{name}"


def unknown(params: Mapping[str, Any]) -> ParamsInvalid:
    """The refusal of a tool that does not exist, or that the key may not call."""
    return ParamsInvalid(f"There is no tool `{params['name'][:LONGEST_SHOWN]}`. Ask for `tools/list`.")


def parse(model: str, params: Mapping[str, Any], core: LiveCore, body: bytes, headers: Mapping[str, str]) -> Invocation:
    """The call in the params of `tools/call`. Raises `FieldInvalid`, which the model behind the client can mend."""
    arguments = params.get("arguments") or {}
    if not isinstance(arguments, dict):
        raise ParamsInvalid("`arguments` must be an object.")
    schema = _schema(core)
    for name in schema["required"]:
        if name not in arguments and not (name == "entity_id" and headers.get("x-entity-id")):
            raise refused_field(name, f"`{name}` is required.", "missing_required_parameter")
    for name, value in arguments.items():
        if name not in schema["properties"]:
            known = ", ".join(f"`{each}`" for each in schema["properties"])
            raise refused_field(name, f"`{name[:LONGEST_SHOWN]}` is no argument of this tool. It takes {known}.")
        if name in OWN and (not isinstance(value, str) or not value):
            raise refused_field(name, f"`{name}` must be a text that is not empty.", "invalid_type")
        if find_misfit({"type": "object", "properties": {name: schema["properties"][name]}}, {name: value}):
            kind = schema["properties"][name]["type"]
            raise refused_field(name, f"`{name}` must be of the type `{kind}`.", "invalid_type")
    message = arguments["message"]
    given = {name: value for name, value in arguments.items() if name not in OWN}
    given |= {"message": message, "messages": [{"role": "user", "content": message}], "params": {}}
    entity_id = call_headers.entity_id(arguments.get("entity_id"), headers)
    return chat_request.invocation(model, given, entity_id, body=body, headers=headers)


def _describe(model: ListedModel, core: LiveCore) -> dict[str, Any]:
    program = core.program.program
    about = program.description.strip() or "An agent."
    return {
        "name": model.name.rpartition("/")[2],
        "title": program.name,
        "description": f"{about} (The published model `{model.name}`.)",
        "inputSchema": _schema(core),
    }


def _schema(core: LiveCore) -> dict[str, Any]:
    properties: dict[str, Any] = {"message": _MESSAGE}
    required = ["message"]
    if core.program.program.instance_mode == "entity":
        properties["entity_id"] = _ENTITY
        required.append("entity_id")
    for declared in _inputs(core):
        described = {"description": declared["description"]} if declared.get("description") else {}
        properties[declared["name"]] = {"type": declared.get("type", "string")} | described
        required += [declared["name"]] if declared.get("required") else []
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _inputs(core: LiveCore) -> list[dict[str, Any]]:
    """What the flow says that a call may send beside the message."""
    program = core.program.program
    entry = next((node for node in program.nodes if node.id == program.entry), None)
    return list(entry.config.get("inputs", ())) if entry is not None and entry.kind == "entry_api" else []

"""From what was sent to a draft that is ready to run. Asks the ORM: to be called in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

import scaicore
from chatapi import call_headers, chat_request
from chatapi.chat_request import ChatRequest
from publishing import actions, documents
from publishing.errors import DraftDoesNotCompile
from publishing.models import Core, Flow
from publishing.registry import AllowedCall, LiveCore

# A draft has no version: what is counted of it has this one.
DRAFT_VERSION: Final = 0
ENTITY: Final = "test"  # in entity mode, where the caller names none: its memory is gone with the run


@dataclass(frozen=True)
class Draft:
    """A compiled document, and the call of it."""

    caller: AllowedCall
    core: LiveCore
    request: ChatRequest
    state: dict[str, Any]
    warnings: list[scaicore.Diagnostic]


def read(flow: Flow, given: Mapping[str, Any], *, user_id: str, key_id: str) -> Draft:
    """The draft that `given`, the fields of `RunBodySerializer`, asks to run. Raises `DraftDoesNotCompile`."""
    compiled = actions.compile_document(_document(flow, given), tenant=flow.tenant_id)
    if compiled.program is None:
        raise DraftDoesNotCompile(compiled.diagnostics)
    core = Core.objects.filter(flow=flow).first()
    # What is counted of a flow that was never deployed is counted under the flow's own id.
    core_id = core.pk if core else flow.pk
    name = f"scaicore/{flow.tenant_id}/{core.slug}" if core else flow.pk
    return Draft(
        AllowedCall(key_id, user_id, flow.tenant_id, core_id, version_id=0, published_at=0),
        LiveCore(DRAFT_VERSION, "flow", scaicore.link(compiled.program)),
        _request(name, given, is_entity=compiled.program.instance_mode == "entity"),
        given["state"],
        list(compiled.diagnostics),
    )


def _document(flow: Flow, given: Mapping[str, Any]) -> dict[str, Any]:
    if "content" not in given:
        return documents.complete(flow, flow.saved)
    return {**documents.clean_content(given["content"]), "id": flow.pk, "name": flow.name}


def _request(name: str, given: Mapping[str, Any], *, is_entity: bool) -> ChatRequest:
    """The call as the chat would read it; with an `input`, as an invocation is read."""
    entity_id = call_headers.entity_id(given.get("entity_id"), call_headers.NO_HEADERS)
    entity_id = (entity_id or ENTITY) if is_entity else None
    if "input" in given:
        return chat_request.invocation(name, given["input"], entity_id)
    said = [*given["messages"], *([{"role": "user", "content": given["message"]}] if "message" in given else [])]
    # The sampling fields stand beside the others in a chat, which win.
    body = {**given["params"], "model": name, "messages": said, "stream": given["stream"]}
    if entity_id is not None:
        body["entity_id"] = entity_id
    return chat_request.parse(msgspec.json.encode(body), call_headers.NO_HEADERS)

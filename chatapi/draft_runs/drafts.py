"""From what was sent to a draft that is ready to run. Asks the ORM: to be called in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

import scaicore
from chatapi import call_headers, chat_request
from chatapi.chat_request import ChatRequest
from chatapi.draft_runs import alone
from publishing import actions, documents
from publishing.errors import DraftDoesNotCompile
from publishing.models import Core, CoreVersion, Flow
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
    is_streamed: bool
    warnings: list[scaicore.Diagnostic]


@dataclass(frozen=True)
class TriedProgram:
    """What can be tried, and by whom: one program that may be called several times."""

    caller: AllowedCall
    core: LiveCore
    name: str
    warnings: list[scaicore.Diagnostic]

    def call(self, given: Mapping[str, Any]) -> Draft:
        """The call that `given`, the fields of `RunBodySerializer`, asks for. Raises `ChatError` as a chat would."""
        is_entity = self.core.program.program.instance_mode == "entity"
        request = _request(self.name, given, is_entity=is_entity)
        return Draft(self.caller, self.core, request, given["state"], given["stream"], self.warnings)


def read(flow: Flow, given: Mapping[str, Any], *, user_id: str, key_id: str) -> Draft:
    """The draft that `given`, the fields of `RunBodySerializer`, asks to run. Raises `DraftDoesNotCompile`."""
    document = document_in(flow, given)
    if "node" in given:
        given = {**given, "input": _input_alone(document, given)}
        document = alone.cut_out(document, given["node"])
    return compile_draft(flow, document, user_id=user_id, key_id=key_id).call(given)


def _input_alone(document: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What a node that runs alone finds: what was asked, and what the others gave."""
    said = [*given["messages"], *([{"role": "user", "content": given["message"]}] if "message" in given else [])]
    asked = {"message": given.get("message", ""), "messages": said, "params": given["params"]}
    found: dict[str, Any] = given.get("input", asked)
    return found | alone.scope_for(document, given["node"], given["results"])


def compile_draft(flow: Flow, document: dict[str, Any], *, user_id: str, key_id: str) -> TriedProgram:
    """`document` ready to be tried as a draft of `flow`. Raises `DraftDoesNotCompile`."""
    compiled = actions.compile_document(document, tenant=flow.tenant_id)
    if compiled.program is None:
        raise DraftDoesNotCompile(compiled.diagnostics)
    runnable = scaicore.link(compiled.program)
    core = LiveCore(DRAFT_VERSION, "flow", runnable)
    return _make(flow, core, list(compiled.diagnostics), user_id=user_id, key_id=key_id)


def load_live(flow: Flow, *, user_id: str, key_id: str) -> TriedProgram | None:
    """The live version of `flow`, to be tried beside a draft; None where nothing is live."""
    live = CoreVersion.objects.filter(pk__in=Core.objects.filter(flow=flow).values("live")).first()
    if live is None:
        return None
    core = LiveCore(live.number, "flow", scaicore.load(live.program))
    return _make(flow, core, [], user_id=user_id, key_id=key_id)


def _make(
    flow: Flow, core: LiveCore, warnings: list[scaicore.Diagnostic], *, user_id: str, key_id: str
) -> TriedProgram:
    deployed = Core.objects.filter(flow=flow).first()
    # What is counted of a flow that was never deployed is counted under the flow's own id.
    core_id = deployed.pk if deployed else flow.pk
    name = deployed.model_name if deployed else flow.pk
    caller = AllowedCall(key_id, user_id, flow.tenant_id, core_id, version_id=0, published_at=0)
    return TriedProgram(caller, core, name, warnings)


def document_in(flow: Flow, given: Mapping[str, Any]) -> dict[str, Any]:
    """The unsaved document that was sent as `content`, else the saved one."""
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

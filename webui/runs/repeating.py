"""An earlier run, to be asked again where flows are tried."""

from __future__ import annotations

from typing import Any

from chatapi.run_history import records
from identity.actors import Actor
from identity.errors import NotFound
from identity.models import User
from publishing.models import Core, Flow

OF_A_CHAT = {"message", "messages", "params"}


def find_call(user: User, actor: Actor, flow: Flow, request_id: str) -> dict[str, Any] | None:
    """What a run of `flow` was asked, in the words of `RunBodySerializer`; None where that is not kept."""
    try:
        run = records.find(actor, user, request_id.replace("\0", ""))
    except NotFound:
        return None
    is_mine = run.core_id == flow.pk or Core.objects.filter(pk=run.core_id, flow=flow).exists()
    trace = records.find_trace(run) if is_mine else None
    return as_call(trace.input) if trace and trace.input is not None else None


def as_call(given: dict[str, Any]) -> dict[str, Any]:
    """An input as the call that gives it: a chat's by its message, any other whole."""
    messages = given.get("messages")
    if not (given.keys() == OF_A_CHAT and isinstance(messages, list) and messages):
        return {"input": given}
    last = messages[-1]
    if last != {"role": "user", "content": given["message"]}:
        return {"input": given}
    asked = {"message": given["message"], "messages": messages[:-1], "params": given["params"]}
    return {name: value for name, value in asked.items() if value or name == "message"}

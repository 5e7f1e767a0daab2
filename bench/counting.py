"""A Core that counts its turns: whatever is lost, doubled or mixed shows in the numbers."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from identity import actors, keys
from identity.models import User
from publishing import actions
from publishing.models import Core

MODEL = "scaicore/acme/counter"


def node(name: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """A node of a document."""
    return {"id": name, "type": kind, "label": name, "position": {"x": 0, "y": 0}, "config": config}


DOCUMENT: dict[str, Any] = {
    "version": "1.0.0",
    "nodes": [
        node("entry", "entry_api", {}),
        node("count", "data_variable_set", {"variable": "count", "expression": "int(state.count) + 1"}),
        node("reply", "llm_rigid", {"template": "{{state.count}}", "result_binding": "response"}),
    ],
    "edges": [
        {"id": "a", "type": "sequential", "source": {"node": "entry"}, "target": {"node": "count"}},
        {"id": "b", "type": "sequential", "source": {"node": "count"}, "target": {"node": "reply"}},
    ],
    "variables": [{"name": "count", "type": "integer", "default": 0}],
    "config": {"publish_as_model": True, "scaiflow_meta": {"instance_mode": "entity"}},
}


def deploy() -> tuple[Core, str]:
    """The counting Core, published, and a key that may call it."""
    root = User.objects.get(email="root@acme.test")
    actor, at = actors.actor_of(root), timezone.now()
    flow = actions.create_flow(tenant=root.tenant, name="Counter", content=DOCUMENT, actor=actor, at=at)
    core = actions.deploy(flow, actor=actor, at=at).core
    return core, keys.mint(user=root, name="faults", actor=actor, at=at)[1]

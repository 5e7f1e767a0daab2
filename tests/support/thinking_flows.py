"""Flows that ask the scripted models, deployed and published."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from django.utils import timezone

from identity import actors
from identity.models import User
from publishing import actions
from publishing.models import Core
from tests.conftest import echo_document


def node(name: str, kind: str, **config: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "label": name, "position": {"x": 0, "y": 0}, "config": config}


def deployed(owner: User, name: str, *nodes: dict[str, Any], variables: Sequence[Any] = (), **config: Any) -> Core:
    """A published flow whose nodes follow one another."""
    document = echo_document(**config) | {"variables": list(variables)}
    document["nodes"] = [node("entry", "entry_api"), *nodes]
    names = [each["id"] for each in document["nodes"]]
    document["edges"] = [
        {"id": f"e{n}", "type": "sequential", "source": {"node": a}, "target": {"node": b}}
        for n, (a, b) in enumerate(pairwise(names))
    ]
    actor, at = actors.actor_of(owner), timezone.now()
    flow = actions.create_flow(tenant=owner.tenant, name=name, content=document, actor=actor, at=at)
    return actions.deploy(flow, actor=actor, at=at).core


def assistant(
    owner: User, *models: str, options: dict[str, Any] | None = None, tracing: bool = False, able: Sequence[str] = ()
) -> Core:
    """A published flow in which a model replies; the models behind the first stand in for it. `able`: what it declares
    that it can do."""
    first, *spares = ({"ref": "scripted", "model": model, "options": options or {}} for model in models)
    identity = {"name": "Assistant", "models": [{"role": "main", **first, "fallback": spares}]}
    reply = node("reply", "llm_flexible", goal="Help.", result_binding="response")
    meta = {"tracing": tracing}
    return deployed(owner, "Assistant", reply, core_identity=identity, scaiflow_meta=meta, capabilities=list(able))

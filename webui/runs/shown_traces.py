"""What the nodes of one run did, by their labels, and drawn on the version that ran."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import scaicore
from chatapi.models import RunTrace, UsageRecord
from chatapi.trace_api import shown_nodes
from identity.actors import Actor
from publishing.models import Core, CoreVersion, Flow, FlowVersion
from scaicore.errors import REASONS
from webui import flow_svg
from webui.flow_svg import Drawing


@dataclass(frozen=True)
class Ran:
    """The document of a run: `flow` is None when it is gone, `content` empty when no version of it is known."""

    flow: Flow | None
    content: dict[str, Any]
    is_exact: bool


@dataclass(frozen=True)
class ShownNode:
    """One node that ran. `number` is its place in the document, -1 for one that is not in it or ran before."""

    label: str
    number: int
    facts: dict[str, Any]

    @property
    def error(self) -> str:
        """Why it failed, in a sentence; empty when it did not."""
        word = self.facts.get("error") or ""
        return REASONS.get(word, word)

    @property
    def result(self) -> str:
        """What it gave, as text."""
        return _text(self.facts.get("result"))

    @property
    def input(self) -> str:
        """What it read, as text."""
        return _text(self.facts.get("input"))

    @property
    def arguments(self) -> str:
        """What a model called it with."""
        return _text(self.facts.get("arguments"))

    @property
    def is_open(self) -> bool:
        """Whether there is something to see to."""
        return bool(self.facts.get("error") or self.facts.get("warnings") or self.facts.get("provider_errors"))


def find_document(run: UsageRecord) -> Ran:
    """The document that ran; for a draft, and where it is not there any more, the saved one."""
    core = Core.objects.filter(pk=run.core_id, tenant=run.tenant_id).select_related("flow").first()
    flow = core.flow if core else Flow.objects.filter(pk=run.core_id, tenant=run.tenant_id).first()
    if flow is None:
        return Ran(None, {}, False)
    number = CoreVersion.objects.filter(core=run.core_id, number=run.core_version).values("flow_version")
    version = FlowVersion.objects.filter(flow=flow, version__in=number).first()
    return Ran(flow, (version or flow.saved).content, version is not None)


def name_node(ran: Ran, node_id: str) -> str:
    """What people call the node with this id."""
    boxes = flow_svg.draw(ran.content, []).boxes if node_id else []
    return next((box.name for box in boxes if box.node.id == node_id), node_id)


def show_input(trace: RunTrace | None) -> str:
    """What was asked, as text; empty where it is not kept."""
    return _text(trace.input) if trace else ""


def show_nodes(trace: RunTrace, ran: Ran, actor: Actor) -> list[ShownNode]:
    """The nodes in the order in which they began."""
    boxes = {box.node.id: box for box in reversed(flow_svg.draw(ran.content, []).boxes)}
    seen: set[str] = set()
    shown = []
    for facts in shown_nodes(trace, actor):
        box = boxes.get(facts["id"])
        shown.append(ShownNode(box.name if box else facts["id"], _first(box, seen), facts))
    return shown


def draw(trace: RunTrace, ran: Ran) -> Drawing | None:
    """The version that ran with what failed and what warned marked; None where that version is not known."""
    if not ran.is_exact:
        return None
    findings = [
        scaicore.Diagnostic("error" if facts.get("error") else "warning", "run", "", "", node_id=facts["id"])
        for facts in trace.nodes
        if facts.get("error") or facts.get("warnings")
    ]
    return flow_svg.draw(ran.content, findings, reached={facts["id"] for facts in trace.nodes})


def _first(box: flow_svg.Box | None, seen: set[str]) -> int:
    if box is None or box.node.id in seen:
        return -1
    seen.add(box.node.id)
    return box.number


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, indent=2, ensure_ascii=False)

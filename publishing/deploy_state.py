"""The state of a flow: what is saved, what is live, and under which name it is called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from publishing.disagreements import find_disagreement
from publishing.models import Core, Entity, Flow, FlowVersion, Hold, Publication
from scaicore import Properties


@dataclass(frozen=True)
class DeployState:
    """A flow's saved version and its live one."""

    saved: str
    core: Core | None
    publication: Publication | None
    hold: Hold | None = None

    @property
    def live(self) -> str | None:
        """The saved version that is live; empty for a Core that was not made from a flow, None for nothing live."""
        return self.core.live.flow_version if self.core and self.core.live else None

    @property
    def is_behind(self) -> bool:
        """Whether something is live, and not what is saved."""
        return self.live is not None and self.live != self.saved

    def has_drifted(self, content: dict[str, Any]) -> bool:
        """Whether the saved document is live, yet published otherwise than it says, and a deploy would change that."""
        return self.live == self.saved and self.hold is None and find_disagreement(self.core, content) is not None

    def count_forgotten(self, wanted: Properties) -> int:
        """How many memories of the live version a version with these properties would no longer read."""
        live = self.core.live if self.core else None
        if live is None or _memory(live.instance_mode, live.entity_scope) == _memory(
            wanted.instance_mode, wanted.entity_scope
        ):
            return 0
        return Entity.objects.filter(core=self.core, partition=live.instance_mode, turns_committed__gt=0).count()


def _memory(mode: str, scope: str) -> tuple[str, str]:
    """What decides which memory a call meets; the scope matters to entities alone."""
    return mode, scope if mode == "entity" else ""


def find_state(flow: Flow, saved: str) -> DeployState:
    """The state of `flow`, whose newest saved version is `saved`."""
    core = getattr(flow, "core", None)
    return DeployState(saved, core, getattr(core, "publication", None), getattr(core, "hold", None))


def list_flows(tenant_id: str, search: str = "") -> QuerySet[Flow]:
    """The tenant's flows, last changed first, with what their state needs."""
    flows = Flow.objects.filter(tenant=tenant_id).select_related("core__live", "core__publication", "core__hold")
    flows = flows.prefetch_related("core__publication__grants")
    if search:
        flows = flows.filter(name__icontains=search)
    return flows.order_by("-updated_at", "id")


def with_states(flows: Iterable[Flow]) -> list[tuple[Flow, DeployState]]:
    """Each of some listed flows with its state, by one query for all of them."""
    wanted = list(flows)
    newest = FlowVersion.objects.filter(flow__in=wanted).order_by("flow", "-number").distinct("flow")
    saved = dict(newest.values_list("flow", "version"))
    return [(flow, find_state(flow, saved[flow.pk])) for flow in wanted]

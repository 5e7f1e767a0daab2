"""The state of a flow: what is saved, what is live, and under which name it is called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform

import scaicore
from publishing.disagreements import find_disagreement
from publishing.errors import MemoryAtStake
from publishing.models import Core, CoreVersion, Entity, Flow, FlowVersion, Hold, Publication
from scaicore.document import variable_types
from scaicore.language import variables


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

    def count_forgotten(self, content: dict[str, Any]) -> int:
        """How many memories of the live version a version with this document would no longer read whole."""
        wanted = scaicore.properties(content)
        layout = MemoryLayout(wanted.instance_mode, wanted.entity_scope, variable_types(content))
        return count_forgotten(self.core, layout)


class MemoryLayout(NamedTuple):
    """What decides which memory a call meets and what it reads there. `variables`: None for a program elsewhere."""

    instance_mode: str
    entity_scope: str
    variables: dict[str, str] | None

    @property
    def place(self) -> tuple[str, str]:
        """Which memory; the scope matters to entities alone."""
        return self.instance_mode, self.entity_scope if self.instance_mode == "entity" else ""


def layout_of(version: CoreVersion) -> MemoryLayout:
    """How a version keeps its memory."""
    variables = None if version.program.get("remote") else variable_types(version.program)
    return MemoryLayout(version.instance_mode, version.entity_scope, variables)


def count_forgotten(core: Core | None, wanted: MemoryLayout) -> int:
    """How many memories of what is live would no longer be read, or lose the value of a variable."""
    if core is None or core.live is None:
        return 0
    live = layout_of(core.live)
    kept = Entity.objects.filter(core=core, partition=live.instance_mode, turns_committed__gt=0)
    if live.place != wanted.place:
        return kept.count()
    before, after = live.variables, wanted.variables
    if before is None or after is None:
        return 0
    changed = [name for name in before if before[name] != after.get(name)]
    # Only the values in question are fetched, and only where a declaration has changed.
    rows = kept.values_list(*(KeyTransform(name, "state") for name in changed)).iterator() if changed else ()
    return sum(
        not all(variables.is_kept(value, after.get(name)) for name, value in zip(changed, row, strict=True))
        for row in rows
    )


def must_keep_memory(core: Core, number: int) -> None:
    """Raise `MemoryAtStake` when this version would not read all that the live one remembers."""
    wanted = core.versions.filter(number=number).first()
    if wanted and (lost := count_forgotten(core, layout_of(wanted))):
        raise MemoryAtStake(lost)


def find_state(flow: Flow, saved: str) -> DeployState:
    """The state of `flow`, whose newest saved version is `saved`."""
    core = getattr(flow, "core", None)
    return DeployState(saved, core, getattr(core, "publication", None), getattr(core, "hold", None))


def list_flows(tenant_id: str, search: str = "", tag: str = "") -> QuerySet[Flow]:
    """The tenant's flows, those with `tag` alone if it is given, last changed first, with what their state needs."""
    flows = Flow.objects.filter(tenant=tenant_id).select_related("core__live", "core__publication", "core__hold")
    flows = flows.prefetch_related("core__publication__grants")
    if search:
        flows = flows.filter(name__icontains=search)
    if tag:
        flows = flows.filter(tags__contains=[tag])
    return flows.order_by("-updated_at", "id")


def list_tags(tenant_id: str) -> list[str]:
    """The tags of the tenant's flows, each once, by name."""
    found = Flow.objects.filter(tenant=tenant_id).exclude(tags=[]).values_list("tags", flat=True)
    return sorted({tag for tags in found for tag in tags}, key=str.casefold)


def with_states(flows: Iterable[Flow]) -> list[tuple[Flow, DeployState]]:
    """Each of some listed flows with its state, by one query for all of them."""
    wanted = list(flows)
    newest = FlowVersion.objects.filter(flow__in=wanted).order_by("flow", "-number").distinct("flow")
    saved = dict(newest.values_list("flow", "version"))
    return [(flow, find_state(flow, saved[flow.pk])) for flow in wanted]

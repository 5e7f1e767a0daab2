"""What a deploy of the saved version would change, found by deploying it and taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

import scaicore
from identity.actors import Actor
from publishing import actions, deploy_state, registry
from publishing.models import Flow, Publication, Visibility

Change = tuple[str, str, str]


@dataclass(frozen=True)
class Reach:
    """Who could call at one moment. `callers` is left empty where everyone may: nobody could be new there."""

    name: str
    is_open: bool
    count: int
    group_ids: tuple[str, ...] = ()
    callers: frozenset[str] = frozenset()

    def __str__(self) -> str:
        whom = "everyone in the tenant" if self.is_open else "its groups"
        return f"{whom}, {self.count} active user{'' if self.count == 1 else 's'}"

    @property
    def told(self) -> str:
        """The visibility, by name."""
        return "everyone in the tenant" if self.is_open else ", ".join(self.group_ids) or "groups that are gone: nobody"


@dataclass(frozen=True)
class DeployPlan:
    """A deploy before it is done. `live` is the flow version that is live now; `lost` counts memories left unread."""

    live: str
    saved: str
    before: Reach | None
    after: Reach | None
    lost: int

    @property
    def told(self) -> str:
        """One line for the whole change of access."""
        before, after = self.before, self.after
        if after is None:
            return f"Un-publishes {before.name}." if before else "Not published as a chat model."
        if before is None:
            return f"Publishes {after.name} to {after}."
        return f"Published to {after}." if before == after else f"Published to {after}; before: {before}."

    @property
    def newcomers(self) -> bool:
        """Whether somebody could call a published model who cannot now."""
        before, after = self.before, self.after
        if before is None or after is None or before.is_open:
            return False
        return after.is_open or not after.callers <= before.callers

    @property
    def questions(self) -> list[str]:
        """What is worth asking before: access that widens, memory that would not be read any more."""
        asked = []
        if self.newcomers and self.after:
            asked.append(f"Access widens: {self.after.name} is now for {self.before}; it would be for {self.after}.")
        if self.lost:
            kept = f"{self.lost} conversation{'' if self.lost == 1 else 's'}"
            asked.append(
                f"The live version remembers {kept} that version {self.saved} will not read, because its instance "
                "mode or entity scope is another. They stay stored."
            )
        return asked

    @property
    def changes(self) -> list[Change]:
        """What, now and then, row by row; also what stays, so that it is seen to stay."""
        before, after = self.before, self.after
        return [
            ("Live version", self.live or "none", self.saved),
            ("Published as", before.name if before else "not published", after.name if after else "not published"),
            ("Open to", before.told if before else "nobody", after.told if after else "nobody"),
            ("Active users who can call", str(before.count if before else 0), str(after.count if after else 0)),
        ]


def plan_deploy(flow: Flow, *, actor: Actor, at: datetime) -> DeployPlan:
    """The plan for `flow` as it is saved now; refused as the deploy itself would be."""
    saved = flow.saved
    where = deploy_state.find_state(flow, saved.version)
    lost = where.forgets(scaicore.properties(saved.content))
    before = _reach(Publication.objects.filter(core__flow=flow).first())
    with transaction.atomic():
        done = actions.deploy(flow, actor=actor, at=at)
        after = _reach(done.publication)
        transaction.set_rollback(True)
    return DeployPlan(where.live or "", saved.version, before, after, lost)


def _reach(publication: Publication | None) -> Reach | None:
    if publication is None:
        return None
    audience = registry.audience(publication)
    if publication.visibility == Visibility.TENANT:
        return Reach(publication.name, True, audience.count())
    callers = frozenset(audience.values_list("pk", flat=True))
    return Reach(publication.name, False, len(callers), tuple(publication.group_ids), callers)

"""What a deploy of the saved version would change, found by deploying it and rolling that back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from identity.actors import Actor
from publishing import actions, deploy_state
from publishing.disagreements import find_disagreement
from publishing.errors import MemoryAtStake
from publishing.models import Core, CoreVersion, Flow, Publication
from publishing.reach import Reach, count_shut_out, measure_reach, question_about

Change = tuple[str, str, str]


@dataclass(frozen=True)
class DeployPlan:
    """A deploy before it is done. `live` is the flow version that is live now; `lost` counts memories left unread.

    `held`: the reason for which staff keep it from being published. `disagreement`: what document and registry say.
    """

    live: str
    saved: str
    before: Reach | None
    after: Reach | None
    lost: int
    held: str = ""
    disagreement: str | None = None

    @property
    def summary(self) -> str:
        """One line for the whole change of access, and for where document and registry disagree now."""
        return " ".join(said for said in (self._access, self.narrows, self.disagreement) if said)

    @property
    def narrows(self) -> str:
        """Who can call now and could no more, in a sentence; empty when nobody is shut out."""
        lost = 0 if self.held else count_shut_out(self.before, self.after)
        return f"Access narrows: {lost} active user{'' if lost == 1 else 's'} can no longer call it." if lost else ""

    @property
    def _access(self) -> str:
        before, after = self.before, self.after
        if self.held:
            return f"Stays un-published, held by staff: {self.held}"
        if after is None:
            return f"Un-publishes {before.name}." if before else "Not published as a chat model."
        if before is None:
            return f"Publishes {after.name} to {after}."
        return f"Published to {after}." if before == after else f"Published to {after}; before: {before}."

    @property
    def questions(self) -> list[str]:
        """What to ask first: access that widens, memory that would not be read any more."""
        widens = question_about(self.before, self.after)
        asked = [widens] if widens else []
        if self.lost:
            kept = f"{self.lost} conversation{'' if self.lost == 1 else 's'}"
            asked.append(
                f"The live version remembers {kept} that version {self.saved} will not read whole, because its "
                "instance mode, its entity scope or one of its variables is another."
            )
        return asked

    @property
    def changes(self) -> list[Change]:
        """What, now and then, row by row; also what stays the same, so that people can see that it does."""
        before, after = self.before, self.after
        return [
            ("Live version", self.live or "none", self.saved),
            ("Published as", before.name if before else "not published", after.name if after else "not published"),
            ("Open to", before.audience if before else "nobody", after.audience if after else "nobody"),
            ("Active users who can call", str(before.count if before else 0), str(after.count if after else 0)),
            *([("Held by staff", self.held, self.held)] if self.held else []),
        ]


def plan_deploy(flow: Flow, *, actor: Actor, at: datetime) -> DeployPlan:
    """The plan for `flow` as it is saved now; refused as the deploy itself would be."""
    saved = flow.saved
    where = deploy_state.find_state(flow, saved.version)
    lost = where.count_forgotten(saved.content)
    disagreement = find_disagreement(where.core, saved.content)
    before = measure_reach(Publication.objects.filter(core__flow=flow).first())
    with transaction.atomic():
        done = actions.deploy(flow, actor=actor, at=at)
        after = measure_reach(done.publication)
        transaction.set_rollback(True)
    held = done.hold.reason if done.hold else ""
    return DeployPlan(where.live or "", saved.version, before, after, lost, held, disagreement)


def foresee_rollback(core: Core, wanted: CoreVersion) -> list[str]:
    """What a roll-back of `core` to this version would do, in sentences."""
    lost = deploy_state.count_forgotten(core, deploy_state.layout_of(wanted))
    told = [
        f"{_in_words(wanted)} becomes live. Live now is {_in_words(core.live) if core.live else 'nothing'}.",
        "Calls in progress finish on the version they began with. The name, who may call it and the saved flow stay as "
        "they are.",
    ]
    if lost:
        rest = "Memories stay stored; a variable that is gone or of another type begins anew with the next call."
        told.append(f"{MemoryAtStake(lost)} {rest}")
    return told


def _in_words(version: CoreVersion) -> str:
    made = f", from flow version {version.flow_version}" if version.flow_version else ""
    return f"Core version {version.number}{made}"

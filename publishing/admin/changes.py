"""Changes of many publications or Cores at once: un-published, restricted to groups, held, and holds lifted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Max, Q, QuerySet

from identity.admin_bulk import BulkChange, PreviewLine
from identity.admin_fields import NarrowedSelectMultiple, RowsField
from identity.models import Group
from publishing import actions, deploy_state, reach
from publishing.admin.forms import GROUPS, HoldForm
from publishing.errors import MemoryAtStake
from publishing.models import Core, Publication, Visibility

NOT_PUBLISHED = "not published"
Chosen = dict[str, Any]


class GroupsForm(forms.Form):
    """The groups that some publications shall be open to."""

    allowed_groups = RowsField(
        Group.objects.none(),
        label="Visibility group IDs",
        widget=NarrowedSelectMultiple(GROUPS, admin.site),
        help_text="Members of at least one of these, directly or through nested groups, may call from then on.",
        error_messages={"invalid_choice": "A group that was chosen is not one of the available choices (any more)."},
    )

    def clean_allowed_groups(self) -> list[Group]:
        """Groups of one tenant: the publications of another cannot be open to them."""
        groups = list(self.cleaned_data["allowed_groups"])
        if len({group.tenant_id for group in groups}) > 1:
            raise forms.ValidationError("Choose groups of one tenant.")
        return groups


class PublicationChange(BulkChange[Publication]):
    """A change of publications. What they are now is their visibility and how many may call."""

    related = ("core__tenant",)

    def load(self, rows: QuerySet[Publication], *, is_final: bool) -> list[Publication]:
        """Locked in the order in which the actions lock: the Cores, then the groups; so that none waits in a ring."""
        pks = list(rows.values_list("pk", flat=True))
        if is_final:
            list(Core.objects.select_for_update().filter(pk__in=pks).order_by("pk"))
            self._lock_groups(pks)
        return list(rows.select_related(*self.related).prefetch_related("grants__group").order_by("name"))

    def _lock_groups(self, pks: list[str]) -> None:
        concerned = Group.objects.filter(Q(grants__publication__in=pks) | Q(pk__in=self.chosen_groups()))
        found = Group.objects.filter(pk__in=concerned.values("pk")).order_by("pk")
        list(found.select_for_update(no_key=True))

    def chosen_groups(self) -> list[int]:
        """The groups that are asked for."""
        return []

    def lines(self, rows: list[Publication], chosen: Chosen | None) -> list[PreviewLine]:
        counts = reach.count_callers(rows)
        return [PreviewLine(row, describe(row, counts[row.pk]), self.outcome) for row in rows]

    outcome = NOT_PUBLISHED


class Unpublish(PublicationChange):
    """End publications; each remembers whom it was open to."""

    name, title = "unpublish", "Un-publish selected publications"
    done = "Un-published: their names answer 404 from the next call on."

    def change(self, row: Publication, chosen: Chosen, *, at: datetime) -> None:
        actions.unpublish(row.core, actor=self.actor, at=at)


class HoldPublished(PublicationChange):
    """Hold the Cores of publications: un-published, and kept so until staff lift the hold."""

    name, title = "hold", "Hold selected publications"
    done = "Held: nothing publishes them until the hold is lifted."
    form_class = HoldForm
    outcome = "held, not published"

    def change(self, row: Publication, chosen: Chosen, *, at: datetime) -> None:
        actions.hold_core(row.core, reason=chosen["reason"], actor=self.actor, at=at)


class Restrict(PublicationChange):
    """Open publications to some groups instead of whomever they are open to."""

    name, title = "restrict", "Restrict selected publications to groups"
    done = "Restricted from the next call on."
    form_class = GroupsForm

    def form(self, rows: list[Publication], data: Any) -> forms.Form:
        """The groups of the publications' own tenants."""
        form = GroupsForm(data)
        tenants = {row.tenant_id for row in rows}
        field: Any = form.fields["allowed_groups"]
        field.queryset = Group.objects.filter(tenant__in=tenants)
        field.widget.narrowed = {"tenant": next(iter(tenants))} if len(tenants) == 1 else {}
        return form

    def lines(self, rows: list[Publication], chosen: Chosen | None) -> list[PreviewLine]:
        """What each would be; where somebody new could call, that is said."""
        now = super().lines(rows, chosen)
        if chosen is None:
            return now
        groups = chosen["allowed_groups"]
        gains = reach.count_gains(rows, groups)
        return [_restricted(line, groups, gains[line.row.pk]) for line in now]

    def change(self, row: Publication, chosen: Chosen, *, at: datetime) -> None:
        group_ids = [group.scaikey_id for group in chosen["allowed_groups"]]
        actions.publish(row.core, group_ids=group_ids, actor=self.actor, at=at)


class RollBack(BulkChange[Core]):
    """Make the versions before the live ones live again; where memories would go unread, the Core's own page asks."""

    name, title = "roll_back", "Roll back to the version before the live one"
    done = "Rolled back: the earlier versions answer from the next call on."
    related = ("live",)

    def lines(self, rows: list[Core], chosen: Chosen | None) -> list[PreviewLine]:
        return [_rolled_back(core, _find_earlier(core)) for core in rows]

    def change(self, row: Core, chosen: Chosen, *, at: datetime) -> None:
        if earlier := _find_earlier(row):
            actions.rollback(row, version=earlier, actor=self.actor, at=at)


class LiftHolds(BulkChange[Core]):
    """Lift the holds of Cores; nothing is published by that."""

    name, title = "lift_holds", "Lift the holds of selected Cores"
    done = "Lifted. Nothing was published: somebody has to do that."
    related = ("hold",)

    def lines(self, rows: list[Core], chosen: Chosen | None) -> list[PreviewLine]:
        return [
            PreviewLine(core, f"held by {core.hold.held_by}: {core.hold.reason}", "not held, not published")
            if hasattr(core, "hold")
            else PreviewLine(core, "not held", "not held")
            for core in rows
        ]

    def change(self, row: Core, chosen: Chosen, *, at: datetime) -> None:
        actions.lift_hold(row, reason=row.hold.reason, actor=self.actor, at=at)


def describe(publication: Publication, callers: int) -> str:
    """Whom a publication is open to, and how many may call: `group_acme_eng: 3 may call`."""
    if publication.visibility == Visibility.TENANT:
        return f"{Visibility.TENANT.label}: {callers} may call"
    return f"{', '.join(publication.group_ids) or 'no group is left'}: {callers} may call"


def _restricted(line: PreviewLine, groups: list[Group], gain: reach.Gain) -> PreviewLine:
    if line.row.tenant_id != groups[0].tenant_id:  # type: ignore[attr-defined]
        return PreviewLine(line.row, line.now, line.now, "the groups are another tenant's.")
    then = f"{', '.join(sorted(group.scaikey_id for group in groups))}: {gain.callers} may call"
    alarm = "" if then == line.now else _alarm(gain)
    return PreviewLine(line.row, line.now, then, alarm=alarm)


def _alarm(gain: reach.Gain) -> str:
    if gain.callers == 0:
        return "Nobody could call this."
    return f"Widens: {gain.new} of them could not call before." if gain.new else ""


def _find_earlier(core: Core) -> int | None:
    live = core.live.number if core.live else 0
    found = core.versions.filter(number__lt=live).aggregate(number=Max("number"))["number"]
    return None if found is None else int(found)


def _rolled_back(core: Core, earlier: int | None) -> PreviewLine:
    now = f"version {core.live.number} is live" if core.live else "nothing is live"
    if earlier is None:
        return PreviewLine(core, now, now, "there is no version before the live one.")
    try:
        deploy_state.must_keep_memory(core, earlier)
    except MemoryAtStake as refused:
        return PreviewLine(core, now, now, f"{refused} Choose the version on the Core's own page, which asks.")
    return PreviewLine(core, now, f"version {earlier} is live")

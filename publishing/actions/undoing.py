"""Taking back a change of who may call, from its entry in the audit log, as long as nothing came in between.

Each is an ordinary change the other way round, with an entry of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import transaction

from identity import groups
from identity.actors import Actor
from identity.errors import ActionRefused, Conflict, NotFound
from identity.models import AuditEntry, Group, Tenant
from publishing.actions import publications
from publishing.actions.base import lock_core
from publishing.errors import CoreNotFound
from publishing.models import Core, Publication, Visibility

CHANGED_SINCE: Final = "It was changed since, so it cannot be undone. Change it by hand."


class _Way(NamedTuple):
    """How an action is undone, and the sentence that says what that does."""

    undo: Callable[[AuditEntry, Actor, datetime], None]
    describe: Callable[[AuditEntry], str]


def is_undoable(entry: AuditEntry) -> bool:
    """Whether the entry is of a kind that can be undone; whether it still applies is found by trying."""
    return entry.action in _WAYS and (entry.action != "group.members_set" or any(_came_and_went(entry)))


def describe(entry: AuditEntry) -> str:
    """What undoing would do, as a sentence."""
    return _WAYS[entry.action].describe(entry)


@transaction.atomic
def undo(entry: AuditEntry, *, actor: Actor, at: datetime) -> None:
    """Make it as it was before the entry; `Conflict` where something changed since, or an action's own refusal."""
    actor.must_manage(entry.tenant)
    if not is_undoable(entry):
        raise Conflict("A change of this kind cannot be undone.")
    _WAYS[entry.action].undo(entry, actor, at)


def find_obstacle(entry: AuditEntry, *, actor: Actor, at: datetime) -> str | None:
    """Why undoing would be refused now; None where it would not. It is tried, and rolled back."""
    try:
        with transaction.atomic():
            undo(entry, actor=actor, at=at)
            transaction.set_rollback(True)
    except ActionRefused as refusal:
        return str(refusal)
    return None


def _undo_members(entry: AuditEntry, actor: Actor, at: datetime) -> None:
    group = _group(entry)
    came, went = _came_and_went(entry)
    now = set(groups.members(group))
    if not set(came) <= now or set(went) & now:
        raise Conflict(CHANGED_SINCE)
    users, nested = groups.find_members(entry.tenant, [*(name for name in now if name not in came), *went])
    groups.set_members(group, users=users, groups=nested, actor=actor, at=at)


def _undo_granted(entry: AuditEntry, actor: Actor, at: datetime) -> None:
    """Take out of the group whoever the request brought in."""
    facts = entry.after or {}
    group = _group(entry, facts.get("group", ""))
    if facts.get("user") not in groups.members(group):
        raise Conflict(CHANGED_SINCE)
    users, _ = groups.find_members(entry.tenant, [facts["user"]])
    groups.remove_members(group, users=users, groups=[], actor=actor, at=at)


def _undo_publication(entry: AuditEntry, actor: Actor, at: datetime) -> None:
    core = Core.objects.filter(tenant=entry.tenant, pk=entry.target).first()
    if core is None:
        raise CoreNotFound
    core = lock_core(core)
    if publications.audit_view(Publication.objects.filter(core=core).first()) != entry.after:
        raise Conflict(CHANGED_SINCE)
    if entry.before is None:
        publications.unpublish(core, actor=actor, at=at)
        return
    is_open = entry.before["visibility"] == Visibility.TENANT
    if not is_open and not entry.before["group_ids"]:
        # An empty list means the tenant: what nobody could call must not be opened to everybody.
        raise Conflict("It was open to groups that exist no more, so it cannot be undone.")
    group_ids = [] if is_open else entry.before["group_ids"]
    publications.publish(core, group_ids=group_ids, actor=actor, at=at)


def _group(entry: AuditEntry, scaikey_id: str = "") -> Group:
    """The group that the entry is about; a newer one with its id is another group."""
    Tenant.objects.select_for_update(no_key=True).get(pk=entry.tenant)
    found = Group.objects.filter(
        tenant=entry.tenant, scaikey_id=scaikey_id or entry.target, created_at__lte=entry.at
    ).first()
    if found is None:
        raise NotFound("The group does not exist any more.")
    return found


def _came_and_went(entry: AuditEntry) -> tuple[list[str], list[str]]:
    before, after = ((facts or {}).get("members", []) for facts in (entry.before, entry.after))
    return [name for name in after if name not in before], [name for name in before if name not in after]


def _describe_members(entry: AuditEntry) -> str:
    came, went = _came_and_went(entry)
    acts = [f"takes {', '.join(came)} out again"] if came else []
    acts += [f"puts {', '.join(went)} back in"] if went else []
    return f"That {' and '.join(acts)}, for the group {entry.target}."


def _describe_granted(entry: AuditEntry) -> str:
    facts = entry.after or {}
    return f"That takes {facts.get('user')} out of the group {facts.get('group')} again."


def _describe_publication(entry: AuditEntry) -> str:
    if entry.before is None:
        return f"That un-publishes {(entry.after or {}).get('name', entry.target)}."
    return f"That opens {entry.before.get('name', entry.target)} to {_audience(entry.before)}."


def _audience(facts: dict[str, Any]) -> str:
    if facts.get("visibility") == Visibility.TENANT:
        return "everyone in the tenant"
    return f"the groups {', '.join(facts.get('group_ids', []))}"


_WAYS: Final = {
    "access.granted": _Way(_undo_granted, _describe_granted),
    "core.published": _Way(_undo_publication, _describe_publication),
    "core.unpublished": _Way(_undo_publication, _describe_publication),
    "group.members_set": _Way(_undo_members, _describe_members),
    "publication.changed": _Way(_undo_publication, _describe_publication),
}

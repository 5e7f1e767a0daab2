"""Taking back a change of who may call."""

from __future__ import annotations

import pytest
from django.utils import timezone

from identity import actors, groups
from identity.errors import ActionRefused, Conflict, Invalid, NotAllowed, NotFound
from identity.models import AuditEntry, Group, User
from publishing import actions, registry
from publishing.actions import undoing
from publishing.models import Core, Publication


def last(action: str) -> AuditEntry:
    entry = AuditEntry.objects.filter(action=action).order_by("-pk").first()
    assert entry is not None
    return entry


def undo(entry: AuditEntry, by: User) -> None:
    actions.undo(entry, actor=actors.actor_of(by), at=timezone.now())


def callers() -> list[str]:
    return sorted(registry.audience(Publication.objects.get()).values_list("email", flat=True))


def test_members_that_came_go_and_those_that_went_come_back(
    root: User, ann: User, bo: User, engineering: Group
) -> None:
    groups.set_members(engineering, users=[bo], groups=[], actor=actors.actor_of(root), at=timezone.now())
    entry = last("group.members_set")
    assert undoing.describe(entry) == (
        "That takes bo@acme.test out again and puts ann@acme.test back in, for the group group_acme_eng."
    )
    undo(entry, root)
    assert groups.members(engineering) == ["ann@acme.test"]
    with pytest.raises(Conflict):
        undo(entry, root)


def test_others_who_came_meanwhile_stay(root: User, bo: User, engineering: Group) -> None:
    entry = last("group.members_set")
    groups.add_members(engineering, users=[bo], groups=[], actor=actors.actor_of(root), at=timezone.now())
    undo(entry, root)
    assert groups.members(engineering) == ["bo@acme.test"]


def test_a_newer_group_with_the_id_is_another_group(root: User, ann: User, engineering: Group) -> None:
    entry = last("group.members_set")
    engineering.delete()
    made = Group.objects.create(tenant=root.tenant, scaikey_id="group_acme_eng")
    groups.add_members(made, users=[ann], groups=[], actor=actors.actor_of(root), at=timezone.now())
    with pytest.raises(NotFound):
        undo(entry, root)


def test_a_publication_is_opened_narrowed_and_taken_away_again(root: User, narrow_echo: Core) -> None:
    undo(last("publication.changed"), root)
    assert callers() == ["ann@acme.test", "root@acme.test"]
    actions.unpublish(narrow_echo, actor=actors.actor_of(root), at=timezone.now())
    undo(last("core.unpublished"), root)
    assert len(callers()) == 2
    with pytest.raises(Conflict):
        undo(last("core.unpublished"), root)
    undo(last("core.published"), root)
    assert not Publication.objects.exists()


def test_what_nobody_could_call_is_not_opened_to_everybody(root: User, narrow_echo: Core, engineering: Group) -> None:
    groups.delete_group(engineering, actor=actors.actor_of(root), at=timezone.now())
    actions.publish(narrow_echo, group_ids=[], actor=actors.actor_of(root), at=timezone.now())
    with pytest.raises(Conflict, match="exist no more"):
        undo(last("publication.changed"), root)


def test_a_group_that_is_gone_refuses_and_changes_nothing(root: User, narrow_echo: Core, engineering: Group) -> None:
    actions.publish(narrow_echo, group_ids=[], actor=actors.actor_of(root), at=timezone.now())
    entry = last("publication.changed")
    groups.delete_group(engineering, actor=actors.actor_of(root), at=timezone.now())
    before = AuditEntry.objects.count()
    with pytest.raises(Invalid):
        undo(entry, root)
    assert AuditEntry.objects.count() == before


def test_a_grant_is_taken_back(root: User, bo: User, narrow_echo: Core) -> None:
    asked, _ = actions.ask_access(narrow_echo, user=bo, actor=actors.actor_of(bo), at=timezone.now())
    actions.grant_access(asked, group_id="group_acme_eng", actor=actors.actor_of(root), at=timezone.now())
    assert callers() == ["ann@acme.test", "bo@acme.test"]
    undo(last("access.granted"), root)
    assert callers() == ["ann@acme.test"]


def test_only_an_admin_of_the_tenant_undoes_and_only_what_can_be(
    root: User, ann: User, cy: User, narrow_echo: Core
) -> None:
    for stranger in (ann, cy):
        with pytest.raises(NotAllowed):
            undo(last("publication.changed"), stranger)
    with pytest.raises(ActionRefused):
        undo(last("core.deployed"), root)


def test_looking_whether_it_applies_changes_nothing(root: User, narrow_echo: Core) -> None:
    entry, before = last("publication.changed"), AuditEntry.objects.count()
    assert undoing.find_obstacle(entry, actor=actors.actor_of(root), at=timezone.now()) is None
    assert (AuditEntry.objects.count(), callers()) == (before, ["ann@acme.test"])

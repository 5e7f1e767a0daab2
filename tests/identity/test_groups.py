"""ScaiKey groups and their members."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from identity import actors
from identity import groups as identity_groups
from identity.errors import ActionRefused, Conflict, Invalid, NotAllowed
from identity.models import AuditEntry, Group, Membership, Nesting, Tenant, User
from tests.support.staff import audited


@pytest.fixture
def operations(acme: Tenant) -> Group:
    return Group.objects.create(tenant=acme, scaikey_id="group_acme_ops")


def set_members(group: Group, by: User, *, users: list[User] = [], groups: list[Group] = []) -> bool:  # noqa: B006
    return identity_groups.set_members(group, users=users, groups=groups, actor=actors.actor_of(by), at=timezone.now())


def test_members_become_exactly_those_that_are_given(
    engineering: Group, operations: Group, root: User, bo: User
) -> None:
    assert set_members(engineering, root, users=[bo], groups=[operations])
    assert identity_groups.members(engineering) == ["bo@acme.test", "group:group_acme_ops"]


def test_setting_the_same_members_changes_and_tells_nothing(engineering: Group, root: User, ann: User) -> None:
    told = audited()
    assert not set_members(engineering, root, users=[ann])
    assert audited() == told


def test_the_audit_entry_holds_the_members_before_and_after(engineering: Group, root: User, bo: User) -> None:
    set_members(engineering, root, users=[bo])
    entry = AuditEntry.objects.get(action="group.members_set", before={"members": ["ann@acme.test"]})
    assert entry.after == {"members": ["bo@acme.test"]}
    assert entry.actor == "root@acme.test"


def test_a_user_of_another_tenant_reads_like_one_that_does_not_exist(engineering: Group, root: User, cy: User) -> None:
    with pytest.raises(Invalid) as refused:
        set_members(engineering, root, users=[cy])
    assert refused.value.problems[0].message == "cy@globex.test does not exist."
    assert identity_groups.members(engineering) == ["ann@acme.test"]


def test_a_group_is_never_nested_in_itself(engineering: Group, root: User) -> None:
    with pytest.raises(Invalid):
        set_members(engineering, root, groups=[engineering])


def test_only_an_admin_of_the_tenant_changes_members(engineering: Group, ann: User, cy: User) -> None:
    for stranger in (ann, cy):
        with pytest.raises(NotAllowed):
            set_members(engineering, stranger, users=[])


def test_a_member_who_vanished_meanwhile_is_a_refusal(engineering: Group, root: User, bo: User) -> None:
    gone = User(pk=bo.pk, email=bo.email, tenant_id="acme")
    bo.delete()
    with pytest.raises(Conflict):
        set_members(engineering, root, users=[gone])
    assert identity_groups.members(engineering) == ["ann@acme.test"]


def test_a_group_id_is_unique_in_its_tenant_alone(engineering: Group, globex: Tenant, cy: User) -> None:
    twin = Group(tenant=globex, scaikey_id=engineering.scaikey_id)
    assert identity_groups.save_group(twin, actor=actors.actor_of(cy), at=timezone.now())


@pytest.mark.parametrize("scaikey_id", ["group_acme_eng", "", "two words", "a,b", "x" * 129])
def test_an_unusable_group_id_is_a_refusal(engineering: Group, root: User, scaikey_id: str) -> None:
    twin = Group(tenant=engineering.tenant, scaikey_id=scaikey_id)
    with pytest.raises(ActionRefused):
        identity_groups.save_group(twin, actor=actors.actor_of(root), at=timezone.now())
    assert Group.objects.count() == 1


def test_saving_a_group_as_it_is_tells_nothing(engineering: Group, root: User) -> None:
    told = audited()
    assert not identity_groups.save_group(engineering, actor=actors.actor_of(root), at=timezone.now())
    assert audited() == told


def test_deleting_a_group_tells_who_was_in_it(engineering: Group, root: User) -> None:
    identity_groups.delete_group(engineering, actor=actors.actor_of(root), at=timezone.now())
    assert AuditEntry.objects.get(action="group.deleted").before == {
        "name": "Engineering",
        "members": ["ann@acme.test"],
    }


def test_the_database_refuses_a_membership_across_tenants(engineering: Group, cy: User) -> None:
    for tenant in ("acme", "globex"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.objects.create(tenant_id=tenant, user=cy, group=engineering)


def test_the_database_refuses_a_nesting_across_tenants(engineering: Group, globex: Tenant) -> None:
    theirs = Group.objects.create(tenant=globex, scaikey_id="group_globex")
    for tenant in ("acme", "globex"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Nesting.objects.create(tenant_id=tenant, parent=engineering, child=theirs)


def test_the_database_refuses_to_move_a_member_to_another_tenant(engineering: Group, ann: User, globex: Tenant) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=ann.pk).update(tenant=globex)

"""Tenants and users: who may change them, and what the audit log keeps."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.utils import timezone

from identity import actors, users
from identity.actors import Actor
from identity.errors import Conflict, Invalid, NotAllowed
from identity.models import AuditEntry, Role, Tenant, User
from tests.support.staff import audited, superuser

OPERATOR = actors.operator("test")


def save(user: User, actor: Actor) -> bool:
    return users.save_user(user, actor=actor, at=timezone.now())


def test_a_new_user_calls_by_key_alone(acme: Tenant, root: User) -> None:
    assert save(User(email=" Di@Acme.test ", tenant=acme), actors.actor_of(root))
    di = User.objects.get(email="di@acme.test")
    assert (di.role, di.has_usable_password()) == (Role.USER, False)


def test_the_audit_entry_holds_both_values_and_no_password(ann: User, root: User) -> None:
    ann.role = Role.VIEWER
    save(ann, actors.actor_of(root))
    entry = AuditEntry.objects.get(action="user.saved")
    assert (entry.before["role"], entry.after["role"]) == ("tenant_user", "tenant_viewer")
    assert "password" not in str([entry.before, entry.after])


def test_only_the_named_fields_are_written(ann: User, root: User) -> None:
    stale = User.objects.get(pk=ann.pk)
    users.set_password(ann, password="a new secret", actor=OPERATOR, at=timezone.now())
    stale.name = "Ann"
    save(stale, actors.actor_of(root))
    assert User.objects.get(pk=ann.pk).check_password("a new secret")


def test_saving_a_user_as_it_is_tells_nothing(ann: User, root: User) -> None:
    assert not save(ann, actors.actor_of(root))
    assert audited() == []


def test_the_same_address_in_another_spelling_is_refused(ann: User, root: User) -> None:
    with pytest.raises(Invalid) as refused:
        save(User(email="ANN@acme.test", tenant=ann.tenant), actors.actor_of(root))
    assert refused.value.problems[0].field == "email"


def test_an_address_that_was_taken_meanwhile_is_a_conflict(
    acme: Tenant, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(User, "full_clean", lambda self, exclude: None)
    with pytest.raises(Conflict):
        save(User(email="root@acme.test", tenant=acme), OPERATOR)


def test_neither_a_plain_user_nor_another_tenants_admin_saves_a_user(ann: User, bo: User, cy: User) -> None:
    for stranger in (ann, cy):
        bo.name = "Changed"
        with pytest.raises(NotAllowed):
            save(bo, actors.actor_of(stranger))


def test_an_admin_makes_nobody_a_superuser(ann: User, root: User) -> None:
    ann.is_superuser = True
    with pytest.raises(NotAllowed):
        save(ann, actors.staff_actor_of(root))
    assert not User.objects.get(pk=ann.pk).is_superuser


def test_an_admin_changes_no_superuser_of_the_own_tenant(ann: User, root: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_superuser=True)
    boss = User.objects.get(pk=ann.pk)
    staff = actors.staff_actor_of(root)
    with pytest.raises(NotAllowed):
        users.set_password(boss, password="a new secret", actor=staff, at=timezone.now())
    with pytest.raises(NotAllowed):
        users.delete_user(boss, actor=staff, at=timezone.now())
    boss.is_superuser = False
    with pytest.raises(NotAllowed):
        save(boss, staff)


def test_nobody_changes_the_own_rights(root: User) -> None:
    actor = actors.staff_actor_of(root)
    root.is_staff = False
    with pytest.raises(Invalid):
        save(root, actor)


def test_a_user_never_changes_tenant(ann: User, globex: Tenant) -> None:
    ann.tenant = globex
    with pytest.raises(Invalid):
        save(ann, OPERATOR)
    assert User.objects.get(pk=ann.pk).tenant_id == "acme"


def test_a_new_password_is_told_without_itself(ann: User) -> None:
    users.set_password(ann, password="a new secret", actor=actors.actor_of(ann), at=timezone.now())
    assert authenticate(username="ann@acme.test", password="a new secret") == ann
    entry = AuditEntry.objects.get(action="user.password_set")
    assert (entry.before, entry.after) == (None, {"email": "ann@acme.test"})


@pytest.mark.parametrize("password", ["short", "password"])
def test_a_weak_password_is_refused(ann: User, password: str) -> None:
    with pytest.raises(Invalid) as refused:
        users.set_password(ann, password=password, actor=OPERATOR, at=timezone.now())
    assert refused.value.problems[0].field == "password"


def test_deleting_a_user_keeps_the_name_in_the_audit_log(ann: User, root: User) -> None:
    users.delete_user(ann, actor=actors.actor_of(root), at=timezone.now())
    assert AuditEntry.objects.get(action="user.deleted").before["email"] == "ann@acme.test"


def test_nobody_deletes_themselves(root: User) -> None:
    with pytest.raises(Invalid):
        users.delete_user(root, actor=actors.actor_of(root), at=timezone.now())


def test_only_one_who_manages_every_tenant_adds_one(root: User) -> None:
    initech = Tenant(slug="initech", name="Initech")
    with pytest.raises(NotAllowed):
        users.save_tenant(initech, actor=actors.staff_actor_of(root), at=timezone.now())
    assert users.save_tenant(initech, actor=OPERATOR, at=timezone.now())
    assert AuditEntry.objects.get(action="tenant.saved").target == "initech"


def test_an_admin_renames_the_own_tenant_and_never_switches_it(acme: Tenant, root: User) -> None:
    acme.name = "Acme Inc."
    assert users.save_tenant(acme, actor=actors.actor_of(root), at=timezone.now())
    acme.is_active = False
    with pytest.raises(NotAllowed):
        users.save_tenant(acme, actor=actors.actor_of(root), at=timezone.now())


def test_a_superuser_does_not_lock_itself_out(db: None) -> None:
    sue = superuser()
    sue.tenant.is_active = False
    with pytest.raises(Invalid):
        users.save_tenant(sue.tenant, actor=actors.staff_actor_of(sue), at=timezone.now())


@pytest.mark.parametrize("slug", ["", "Acme", "a_b", "-a", "a-", "a" * 64, "a/b"])
def test_an_unusable_slug_is_refused(db: None, slug: str) -> None:
    with pytest.raises(Invalid):
        users.save_tenant(Tenant(slug=slug, name="X"), actor=OPERATOR, at=timezone.now())


def test_a_switched_off_tenant_signs_nobody_in(acme: Tenant, ann: User) -> None:
    assert authenticate(username="ann@acme.test", password="change-me") == ann
    Tenant.objects.update(is_active=False)
    assert authenticate(username="ann@acme.test", password="change-me") is None


def test_the_first_superuser_needs_no_tenant_to_be_there(db: None) -> None:
    call_command("createsuperuser", "--noinput", email="first@ops.test", verbosity=0)
    first = User.objects.get(email="first@ops.test")
    assert (first.tenant_id, first.role, first.is_staff, first.is_superuser) == ("operators", Role.ADMIN, True, True)

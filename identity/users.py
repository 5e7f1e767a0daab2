"""Tenants and users: made, changed and removed, each by one function that REST, pages, admin and commands all call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from identity import audit, validation
from identity.actors import Actor
from identity.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from identity.models import Role, Tenant, User

TENANT_FIELDS = ("name", "is_active")
USER_FIELDS = ("email", "name", "role", "is_active", "is_staff", "is_superuser")


@transaction.atomic
def save_tenant(tenant: Tenant, *, actor: Actor, at: datetime) -> bool:
    """Store a new or changed tenant; returns whether anything changed. Its slug never changes."""
    actor.must_manage(tenant.pk)
    before = Tenant.objects.select_for_update(no_key=True).filter(pk=tenant.pk).first()
    if before is None or before.is_active != tenant.is_active:
        _must_manage_all(actor, "Only a superuser may add tenants or switch them on and off.")
    if not tenant.is_active and User.objects.filter(pk=actor.user_id, tenant=tenant.pk).exists():
        raise Invalid("This would lock you out.", [Problem("is_active", "You cannot switch your own tenant off.")])
    if before and _values(before, TENANT_FIELDS) == _values(tenant, TENANT_FIELDS):
        return False
    validation.store(tenant, update_fields=TENANT_FIELDS if before else None)
    _record(
        "tenant.saved", tenant.pk, tenant.pk, actor, at, _values(before, TENANT_FIELDS), _values(tenant, TENANT_FIELDS)
    )
    return True


@transaction.atomic
def save_user(user: User, *, actor: Actor, at: datetime) -> bool:
    """Store a new or changed user; returns whether anything changed. The tenant and the password stay as they are.

    A new user has no password: it calls by key alone until `set_password` gives it one.
    """
    actor.must_manage(user.tenant_id)
    before = User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
    user.email = user.email.strip().lower()
    _must_leave_power_alone(user, before, actor)
    if not _administers(user):
        _must_leave_an_admin(before, actor)
    if before and _values(before, USER_FIELDS) == _values(user, USER_FIELDS):
        return False
    if before is None:
        user.set_unusable_password()
    validation.store(user, exclude=["password"], update_fields=USER_FIELDS if before else None)
    _record("user.saved", user.pk, user.tenant_id, actor, at, _values(before, USER_FIELDS), _values(user, USER_FIELDS))
    return True


@transaction.atomic
def change_user(user: User, changes: Mapping[str, Any], *, actor: Actor, at: datetime) -> User:
    """Change these fields of a user and no others, whatever was saved since `user` was read."""
    actor.must_manage(user.tenant_id)
    current = User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
    if current is None:
        raise NotFound("The user does not exist.")
    for name, value in changes.items():
        setattr(current, name, value)
    save_user(current, actor=actor, at=at)
    return current


@transaction.atomic
def set_password(user: User, *, password: str, actor: Actor, at: datetime) -> None:
    """Give `user` a new password, which ends the user's other sessions. Users may always change their own."""
    if actor.user_id != user.pk:
        actor.must_manage(user.tenant_id)
        _must_outrank(user, actor)
    try:
        validate_password(password, user)
    except ValidationError as error:
        problems = [Problem("password", message) for message in error.messages]
        raise Invalid(problems[0].message, problems) from None
    user.set_password(password)
    user.save(update_fields=["password"])
    _record("user.password_set", user.pk, user.tenant_id, actor, at, None, {"email": user.email})


@transaction.atomic
def delete_user(user: User, *, actor: Actor, at: datetime) -> None:
    """Remove a user with their keys, memberships and memories; flows stay without an owner.

    Audit and usage keep the name. The memories go by a trigger of the database, so that no way past this forgets them.
    """
    actor.must_manage(user.tenant_id)
    _must_outrank(user, actor)
    if actor.user_id == user.pk:
        raise Invalid("You cannot delete yourself.", [Problem("", "Another admin must delete you.")])
    _must_leave_an_admin(user, actor)
    _record("user.deleted", user.pk, user.tenant_id, actor, at, _values(user, USER_FIELDS), None)
    user.delete()


def _must_leave_power_alone(user: User, before: User | None, actor: Actor) -> None:
    """Refuse what would raise somebody above the actor, move a user, or lock the actor out."""
    if user.is_superuser:
        _must_outrank(user, actor)
    if before is None:
        return
    _must_outrank(before, actor)
    if before.tenant_id != user.tenant_id:
        # Keys, memberships and grants all belong to the tenant that the user was made in.
        raise Invalid("A user never changes tenant.", [Problem("tenant", "Add a new user in the other tenant.")])
    if actor.user_id == user.pk and _powers(before) != _powers(user):
        raise Invalid("You cannot change your own rights.", [Problem("", "Another admin must change your own rights.")])


def _administers(user: User) -> bool:
    return user.is_active and user.role == Role.ADMIN


def _must_leave_an_admin(before: User | None, actor: Actor) -> None:
    """Refuse to take away the last active admin of a tenant, unless the actor manages every tenant."""
    if before is None or not _administers(before) or actor.tenants is None:
        return
    # Two admins who demote each other at the same moment wait for each other here.
    Tenant.objects.select_for_update(no_key=True).get(pk=before.tenant_id)
    if not User.objects.admins_of(before.tenant_id).exclude(pk=before.pk).exists():
        raise Conflict("This is the last active admin of the tenant. Make somebody else an admin first.")


def _powers(user: User) -> tuple[bool, bool, bool]:
    return user.is_active, user.is_staff, user.is_superuser


def _must_outrank(user: User, actor: Actor) -> None:
    if user.is_superuser:
        _must_manage_all(actor, "Only a superuser may change a superuser.")


def _must_manage_all(actor: Actor, message: str) -> None:
    if actor.tenants is not None:
        raise NotAllowed(message)


def _values(row: Tenant | User | None, fields: tuple[str, ...]) -> dict[str, Any] | None:
    return {name: getattr(row, name) for name in fields} if row else None


def _record(
    action: str, target: str, tenant: str, actor: Actor, at: datetime, before: audit.Values, after: audit.Values
) -> None:
    audit.record(action, target, tenant=tenant, actor=actor, at=at, before=before, after=after)

"""The tenant, its users and its groups."""

from __future__ import annotations

from msgspec import UNSET

from identity import groups as identity_groups
from identity import users as identity_users
from identity.models import Group, Role, Tenant, User
from publishing.declared.base import ApplyRun, assign, must_differ, refusal_at, refusals_at
from publishing.declared.schema import DeclaredGroup, DeclaredTenant, DeclaredUser

NESTED = "group:"


def apply_tenant(run: ApplyRun, location: str, declared: DeclaredTenant) -> Tenant:
    """Make the tenant, or change it to what the file says."""
    tenant = Tenant.objects.filter(pk=declared.slug).first() or Tenant(slug=declared.slug, name=declared.slug)
    is_new = tenant._state.adding
    changes = assign(tenant, {"name": declared.name, "is_active": declared.active})
    with refusals_at(location):
        identity_users.save_tenant(tenant, actor=run.actor, at=run.at)
    if is_new:
        run.added(f"tenant {tenant}")
    elif changes:
        run.changed(f"tenant {tenant}", changes)
    return tenant


def apply_users(run: ApplyRun, location: str, tenant: Tenant, declared: list[DeclaredUser]) -> None:
    """Make or change every user of the list."""
    must_differ(location, "email", (user.email.strip().lower() for user in declared))
    for number, user in enumerate(declared):
        _apply_user(run, f"{location}[{number}]", tenant, user)


def apply_groups(run: ApplyRun, location: str, tenant: Tenant, declared: list[DeclaredGroup]) -> None:
    """Make or change every group of the list; then set the members, which may be groups of the list."""
    must_differ(location, "id", (group.id for group in declared))
    groups = [_apply_group(run, f"{location}[{number}]", tenant, group) for number, group in enumerate(declared)]
    for number, (group, wanted) in enumerate(zip(groups, declared, strict=True)):
        if wanted.members is not UNSET:
            _apply_members(run, f"{location}[{number}]", group, wanted.members)


def _apply_user(run: ApplyRun, location: str, tenant: Tenant, declared: DeclaredUser) -> None:
    email = declared.email.strip().lower()
    user = User.objects.filter(email=email).first() or User(email=email, tenant=tenant, role=Role.USER)
    is_new = user._state.adding
    if user.tenant_id != tenant.pk:
        raise refusal_at(f"{location}.email", f"{email} is a user of another tenant.")
    wanted = {"name": declared.name, "role": declared.role, "is_active": declared.active}
    changes = assign(user, wanted | {"is_staff": declared.staff, "is_superuser": declared.superuser})
    with refusals_at(location):
        identity_users.save_user(user, actor=run.actor, at=run.at)
        if is_new and declared.password is not UNSET:
            identity_users.set_password(user, password=declared.password, actor=run.actor, at=run.at)
    if is_new:
        run.added(f"user {user} ({user.role})")
    elif changes:
        run.changed(f"user {user}", changes)


def _apply_group(run: ApplyRun, location: str, tenant: Tenant, declared: DeclaredGroup) -> Group:
    found = Group.objects.filter(tenant=tenant, scaikey_id=declared.id).first()
    group = found or Group(tenant=tenant, scaikey_id=declared.id)
    changes = assign(group, {"name": declared.name})
    with refusals_at(location):
        identity_groups.save_group(group, actor=run.actor, at=run.at)
    if found is None:
        run.added(f"group {group}")
    elif changes:
        run.changed(f"group {group}", changes)
    return group


def _apply_members(run: ApplyRun, location: str, group: Group, wanted: list[str]) -> None:
    before = identity_groups.members(group)
    users, groups = _find_members(f"{location}.members", group.tenant_id, wanted)
    with refusals_at(location):
        if not identity_groups.set_members(group, users=users, groups=groups, actor=run.actor, at=run.at):
            return
    after = identity_groups.members(group)
    changes = [f"+ {name}" for name in after if name not in before]
    changes += [f"- {name}" for name in before if name not in after]
    run.changed(f"members of {group}", ", ".join(changes))


def _find_members(location: str, tenant_id: str, wanted: list[str]) -> tuple[list[User], list[Group]]:
    """The users and groups of the tenant that a list of members names."""
    emails = [name.strip().lower() for name in wanted if not name.startswith(NESTED)]
    users = {user.email: user for user in User.objects.filter(tenant=tenant_id, email__in=emails)}
    ids = [name.removeprefix(NESTED) for name in wanted if name.startswith(NESTED)]
    groups = {NESTED + group.scaikey_id: group for group in Group.objects.filter(tenant=tenant_id, scaikey_id__in=ids)}
    for number, name in enumerate(wanted):
        if name not in groups and name.strip().lower() not in users:
            kind = "group" if name.startswith(NESTED) else "user"
            known_as = name.removeprefix(NESTED)
            raise refusal_at(f"{location}[{number}]", f"The {kind} {known_as} does not exist in {tenant_id}.")
    return list(users.values()), list(groups.values())

"""Tenants, users, groups, keys and the audit log, as staff see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import django.contrib.auth.admin  # noqa: F401  registers what is taken away below
from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import Group as DjangoGroup
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from identity import admin_base, keys
from identity import groups as identity_groups
from identity import users as identity_users
from identity.actors import Actor
from identity.admin_base import StaffAdmin
from identity.admin_filters import KeyStateFilter
from identity.admin_forms import GroupForm, TenantForm, UserForm
from identity.models import ApiKey, AuditEntry, Group, Tenant, User

# Permission rows decide nothing here, and a second kind of group would only mislead.
admin.site.unregister(DjangoGroup)

# A page with more members than this is no longer a form that a person fills in.
MOST_MEMBERS = 500


@admin.register(Tenant)
class TenantAdmin(StaffAdmin):
    """Tenants: superusers add them and switch them off; nobody deletes one."""

    tenant_path = "pk"
    may_add = may_change = True
    form = TenantForm
    list_display = ("slug", "name", "is_active", "user_count", "created_at")
    list_filter = ("is_active",)
    search_fields = ("slug", "name")

    def tenant_of(self, row: Tenant) -> str:
        return row.pk

    def listed(self, rows: QuerySet[Tenant]) -> QuerySet[Tenant]:
        return rows.annotate(user_count=Count("users"))

    @admin.display(description="users", ordering="user_count")
    def user_count(self, tenant: Any) -> int:
        return int(tenant.user_count)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin_base.actor(request).tenants is None

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        fixed = ("slug", "created_at") if obj else ("created_at",)
        return fixed if admin_base.actor(request).tenants is None else (*fixed, "is_active")

    def act(self, row: Tenant, form: Any, *, actor: Actor, at: datetime) -> None:
        identity_users.save_tenant(row, actor=actor, at=at)


@admin.register(User)
class UserAdmin(StaffAdmin):
    """Users: a superuser's account is changed by superusers alone."""

    may_add = may_change = may_delete = True
    form = UserForm
    autocomplete_fields = ("tenant",)
    list_display = ("email", "name", "tenant", "role", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "role", "is_staff", ("tenant", admin.RelatedOnlyFieldListFilter))
    search_fields = ("email", "name")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _outranks(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _outranks(request, obj)

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        fields = ["email", "name", "role", "is_active", "is_staff"]
        if admin_base.actor(request).tenants is None:
            fields.append("is_superuser")
        if obj is None:
            return [*_tenant_if_choosable(request), *fields, "new_password"]
        is_writable = self.has_change_permission(request, obj)
        return ["tenant", *fields, *(["new_password"] if is_writable else []), "last_login", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return ("tenant", "last_login", "created_at") if obj else ()

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        _settle_tenant(request, obj)
        super().save_model(request, obj, form, change)
        if obj.pk == request.user.pk and form.cleaned_data.get("new_password"):
            update_session_auth_hash(request, obj)

    def act(self, row: User, form: Any, *, actor: Actor, at: datetime) -> None:
        identity_users.save_user(row, actor=actor, at=at)
        if form.cleaned_data.get("new_password"):
            identity_users.set_password(row, password=form.cleaned_data["new_password"], actor=actor, at=at)

    def remove(self, row: User, *, actor: Actor, at: datetime) -> None:
        identity_users.delete_user(row, actor=actor, at=at)


@admin.register(Group)
class GroupAdmin(StaffAdmin):
    """ScaiKey groups with their direct members: users, and groups nested in them."""

    may_add = may_change = may_delete = True
    form = GroupForm
    autocomplete_fields = ("tenant",)
    list_display = ("scaikey_id", "name", "tenant", "user_count", "group_count", "created_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("scaikey_id", "name")

    def listed(self, rows: QuerySet[Group]) -> QuerySet[Group]:
        return rows.annotate(
            user_count=Count("memberships", distinct=True), group_count=Count("children", distinct=True)
        )

    def narrow(self, rows: QuerySet[Group], asked: Mapping[str, str]) -> QuerySet[Group]:
        return rows.filter(tenant=asked["tenant"]) if asked.get("tenant") else rows

    def found_as(self, row: Group, request: HttpRequest) -> str:
        """By id and name; by its tenant as well where the search goes through those of several."""
        is_alone = "tenant" in request.GET or admin_base.actor(request).tenants is not None
        return row.label if is_alone else f"{row.label}, {row.tenant_id}"

    @admin.display(description="direct users", ordering="user_count")
    def user_count(self, group: Any) -> int:
        return int(group.user_count)

    @admin.display(description="nested groups", ordering="group_count")
    def group_count(self, group: Any) -> int:
        return int(group.group_count)

    @admin.display(description="members")
    def too_many(self, group: Group) -> str:
        return f"{group.memberships.count()} users: too many for this page. `manage.py apply` changes them."

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> list[Any]:
        if obj is None:
            return [*_tenant_if_choosable(request), "scaikey_id", "name", "users", "groups"]
        is_large = obj.memberships.count() > MOST_MEMBERS
        return ["tenant", "scaikey_id", "name", *(["too_many"] if is_large else ["users", "groups"]), "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        return ("tenant", "scaikey_id", "created_at", "too_many") if obj else ()

    def offered(self, request: HttpRequest, row: Group | None) -> admin_base.Offer:
        """Users and groups of the group's own tenant; while it has none, of every tenant that the actor manages."""
        users, groups = User.objects.all(), Group.objects.all()
        if row is not None:
            return {"users": users.filter(tenant=row.tenant_id), "groups": groups.filter(tenant=row.tenant_id)}
        tenants = admin_base.actor(request).tenants
        if tenants is None:
            return {"users": users, "groups": groups}
        return {"users": users.filter(tenant__in=tenants), "groups": groups.filter(tenant__in=tenants)}

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        _settle_tenant(request, obj)
        super().save_model(request, obj, form, change)

    def act(self, row: Group, form: Any, *, actor: Actor, at: datetime) -> None:
        identity_groups.save_group(row, actor=actor, at=at)
        if {"users", "groups"} & set(form.changed_data):
            chosen = form.cleaned_data
            identity_groups.set_members(row, users=chosen["users"], groups=chosen["groups"], actor=actor, at=at)

    def remove(self, row: Group, *, actor: Actor, at: datetime) -> None:
        identity_groups.delete_group(row, actor=actor, at=at)

    def audit_target(self, row: Group) -> str:
        return row.scaikey_id


@admin.register(ApiKey)
class ApiKeyAdmin(StaffAdmin):
    """API keys: seen by their first characters, and revoked. A secret is shown only to the one who makes it."""

    tenant_path = "user__tenant"
    list_display = ("prefix", "name", "user", "tenant", "state", "created_at", "expires_at", "last_used_at")
    list_filter = (KeyStateFilter, ("user__tenant", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "live")
    search_fields = ("prefix", "name", "user__email")
    actions = ("revoke",)
    fields = ("prefix", "name", "user", "state", "opens", "created_at", "expires_at", "revoked_at", "last_used_at")

    def tenant_of(self, row: ApiKey) -> str:
        return row.user.tenant_id

    @admin.display(ordering="user__tenant")
    def tenant(self, key: ApiKey) -> str:
        return key.user.tenant_id

    @admin.display
    def state(self, key: ApiKey) -> str:
        """What the database's view of live keys says of it, and why."""
        if hasattr(key, "live"):
            return "live"
        if key.revoked_at:
            return "revoked"
        return "expired" if key.expires_at and key.expires_at <= timezone.now() else "user or tenant inactive"

    @admin.display(description="models")
    def opens(self, key: ApiKey) -> str:
        return "every model of the user" if key.models is None else ", ".join(key.models)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self._is_managed(request, None)

    @admin.action(description="Revoke selected API keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            keys.revoke(key, actor=admin_base.actor(request), at=timezone.now())
        self.message_user(request, "Revoked. The keys answer 401 from now on.", messages.SUCCESS)


@admin.register(AuditEntry)
class AuditEntryAdmin(StaffAdmin):
    """Who changed what, when. Nobody changes an entry."""

    list_display = ("at", "actor", "door", "action", "tenant", "change")
    list_filter = ("door", "action", "tenant")
    search_fields = ("actor", "action", "target")
    date_hierarchy = "at"

    def tenant_of(self, row: AuditEntry) -> str:
        return row.tenant

    def audit_target(self, row: AuditEntry) -> str:
        return row.target

    @admin.display
    def change(self, entry: AuditEntry) -> SafeString:
        """The target, and the values: of a change, those that differ."""
        return format_html("<strong>{}</strong> {}", entry.target, "; ".join(_values(entry.before, entry.after)))


def _values(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[str]:
    if before is None or after is None:
        return [f"{name}: {_word(value)}" for name, value in (before or after or {}).items()]
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [f"{name}: {_word(before.get(name))} → {_word(after.get(name))}" for name in names]


def _word(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return "—" if value in (None, "") else str(value)


def _outranks(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_superuser or admin_base.actor(request).tenants is None


def _tenant_if_choosable(request: HttpRequest) -> list[str]:
    return ["tenant"] if admin_base.actor(request).tenants is None else []


def _settle_tenant(request: HttpRequest, row: User | Group) -> None:
    """A new row of somebody who manages one tenant belongs to it; a form never says otherwise."""
    tenants = admin_base.actor(request).tenants
    if row._state.adding and tenants is not None:
        [row.tenant_id] = tenants

"""Tenants, as staff see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from identity import admin_base
from identity import users as identity_users
from identity.actors import Actor
from identity.admin_base import StaffAdmin
from identity.admin_forms import TenantForm
from identity.models import Tenant


@admin.register(Tenant)
class TenantAdmin(StaffAdmin):
    """Tenants: superusers add them and switch them off; nobody deletes one."""

    tenant_path = "pk"
    audit_nouns = ("tenant", "secrets")
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

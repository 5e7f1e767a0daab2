"""Limits and prices, as staff set them: by the same actions as everybody."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from identity import admin_base
from identity.actors import Actor
from identity.admin_base import StaffAdmin
from identity.models import ApiKey, Group, User
from publishing import actions
from publishing.actions import LimitTerms
from publishing.limits.standing import standings
from publishing.models import Core, Price, UsageLimit

WHOM = ("user", "key", "group", "each", "core", "measure", "per")


@admin.register(UsageLimit)
class UsageLimitAdmin(StaffAdmin):
    """Limits on requests, tokens and money, each with how much of it is used. Whom one is about never changes."""

    audit_nouns = ("limit",)
    may_add = may_change = may_delete = True
    autocomplete_fields = ("tenant", "user", "key", "group", "core")
    list_display = ("__str__", "tenant", "whose", "core", "is_soft", "used", "updated_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter), "measure", "per", "is_soft")
    search_fields = ("id", "user__email", "group__scaikey_id", "core__slug")

    def listed(self, rows: QuerySet[UsageLimit]) -> QuerySet[UsageLimit]:
        return rows.select_related("tenant", "user", "key", "group", "core")

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """How much of each is used."""
        for row, standing in zip(rows, standings(rows), strict=True):
            row.percent = standing.percent

    @admin.display(description="whose calls")
    def whose(self, limit: UsageLimit) -> str:
        named = limit.user or limit.key or limit.group
        each = limit.get_each_display()
        return f"{named}: {each}" if named else each

    @admin.display(description="used")
    def used(self, limit: Any) -> str:
        return f"{limit.percent} %"

    def get_fields(self, request: HttpRequest, obj: UsageLimit | None = None) -> list[Any]:
        if obj is None:
            return [*admin_base.tenant_if_choosable(request), "amount", "measure", "per", *WHOM[:5], "is_soft"]
        return ["tenant", *WHOM, "amount", "is_soft", "created_at", "updated_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: UsageLimit | None = None) -> tuple[str, ...]:
        return ("tenant", *WHOM, "created_at", "updated_at") if obj else ()

    def offered(self, request: HttpRequest, row: UsageLimit | None) -> admin_base.Offer:
        """What belongs to the tenants that the actor manages; the action takes only the limit's own tenant's."""
        tenants = admin_base.actor(request).tenants
        everything: dict[str, tuple[Any, str]] = {
            "user": (User, "tenant"),
            "key": (ApiKey, "user__tenant"),
            "group": (Group, "tenant"),
            "core": (Core, "tenant"),
        }
        return {
            name: model.objects.all() if tenants is None else model.objects.filter(**{f"{path}__in": tenants})
            for name, (model, path) in everything.items()
        }

    def save_model(self, request: HttpRequest, obj: UsageLimit, form: Any, change: bool) -> None:
        if not change:
            admin_base.settle_tenant(request, obj)
        super().save_model(request, obj, form, change)

    def act(self, row: UsageLimit, form: Any, *, actor: Actor, at: datetime) -> None:
        terms = LimitTerms(**{name: getattr(row, name) for name in (*WHOM, "amount", "is_soft")})
        if not row._state.adding:
            actions.save_limit(row, terms=terms, actor=actor, at=at)
            return
        made = actions.create_limit(tenant=row.tenant, terms=terms, actor=actor, at=at)
        row.pk, row._state.adding = made.pk, False

    def remove(self, row: UsageLimit, *, actor: Actor, at: datetime) -> None:
        actions.delete_limit(row, actor=actor, at=at)


@admin.register(Price)
class PriceAdmin(StaffAdmin):
    """What a million tokens of a model cost, for limits of money."""

    audit_nouns, audit_field = ("core",), "core_id"
    may_add = may_change = may_delete = True
    autocomplete_fields = ("core",)
    fields = ("core", "prompt", "completion")
    list_display = ("core", "tenant", "prompt", "completion")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("core__slug", "core__name")

    def listed(self, rows: QuerySet[Price]) -> QuerySet[Price]:
        return rows.select_related("tenant", "core")

    def get_readonly_fields(self, request: HttpRequest, obj: Price | None = None) -> tuple[str, ...]:
        return ("core",) if obj else ()

    def offered(self, request: HttpRequest, row: Price | None) -> admin_base.Offer:
        """The Cores of the tenants that the actor manages."""
        tenants = admin_base.actor(request).tenants
        return {"core": Core.objects.all() if tenants is None else Core.objects.filter(tenant__in=tenants)}

    def act(self, row: Price, form: Any, *, actor: Actor, at: datetime) -> None:
        actions.set_price(row.core, prompt=row.prompt, completion=row.completion, actor=actor, at=at)

    def remove(self, row: Price, *, actor: Actor, at: datetime) -> None:
        actions.set_price(row.core, prompt=Decimal(0), completion=Decimal(0), actor=actor, at=at)

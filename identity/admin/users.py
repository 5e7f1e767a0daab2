"""Users, as staff see them: who they are, their groups and their keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth import update_session_auth_hash
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from identity import admin_base, admin_sections, groups, keys
from identity import users as identity_users
from identity.actors import Actor
from identity.admin.groups import describe_chain
from identity.admin.keys import RevokeKeys, describe_limit
from identity.admin_base import StaffAdmin
from identity.admin_bulk import BulkChange, PreviewLine
from identity.admin_forms import UserForm
from identity.admin_sections import Section
from identity.models import ApiKey, User


class SwitchOff(BulkChange[User]):
    """Switch users off: no sign-in, and every key answers 401."""

    name, title = "switch_off", "Switch off selected users"
    done = "Switched off: no sign-in, and their keys answer 401 from now on."

    def lines(self, rows: list[User], chosen: dict[str, Any] | None) -> list[PreviewLine]:
        return [self._line(user) for user in rows]

    def _line(self, user: User) -> PreviewLine:
        if not user.is_active:
            return PreviewLine(user, "off", "off")
        return PreviewLine(user, "active", "off", self._refusal(user))

    def _refusal(self, user: User) -> str:
        if user.pk == self.actor.user_id:
            return "This is you: another admin must do it."
        is_above = user.is_superuser and self.actor.tenants is not None
        return "A superuser: only a superuser may do it." if is_above else ""

    def change(self, row: User, chosen: dict[str, Any], *, at: datetime) -> None:
        row.is_active = False
        identity_users.save_user(row, actor=self.actor, at=at)


class RevokeAllKeys(BulkChange[User]):
    """Revoke every live key of some users; they may make new ones."""

    name, title = "revoke_all_keys", "Revoke all API keys of selected users"
    done = "Revoked: those keys answer 401 from now on."

    def lines(self, rows: list[User], chosen: dict[str, Any] | None) -> list[PreviewLine]:
        counted = User.objects.filter(pk__in=[user.pk for user in rows]).annotate(
            live=Count("api_keys", filter=Q(api_keys__revoked_at=None))
        )
        live = dict(counted.values_list("pk", "live"))
        return [PreviewLine(user, _keys(live[user.pk]), _keys(0)) for user in rows]

    def change(self, row: User, chosen: dict[str, Any], *, at: datetime) -> None:
        for key in ApiKey.objects.filter(user=row, revoked_at=None).select_related("user").order_by("pk"):
            keys.revoke(key, actor=self.actor, at=at)


@admin.register(User)
class UserAdmin(StaffAdmin):
    """Users: a superuser's account is changed by superusers alone."""

    audit_nouns = ("user",)
    may_add = may_change = may_delete = True
    form = UserForm
    autocomplete_fields = ("tenant",)
    list_display = ("email", "name", "tenant", "role", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "role", "is_staff", ("tenant", admin.RelatedOnlyFieldListFilter))
    search_fields = ("email", "name")
    bulk_changes = (SwitchOff, RevokeAllKeys)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _outranks(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _outranks(request, obj)

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        fields = ["email", "name", "role", "is_active", "is_staff"]
        if admin_base.actor(request).tenants is None:
            fields.append("is_superuser")
        if obj is None:
            return [*admin_base.tenant_if_choosable(request), *fields, "new_password"]
        is_writable = self.has_change_permission(request, obj)
        return ["tenant", *fields, *(["new_password"] if is_writable else []), "last_login", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return ("tenant", "last_login", "created_at") if obj else ()

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        admin_base.settle_tenant(request, obj)
        super().save_model(request, obj, form, change)
        if obj.pk == request.user.pk and form.cleaned_data.get("new_password"):
            update_session_auth_hash(request, obj)

    def act(self, row: User, form: Any, *, actor: Actor, at: datetime) -> None:
        identity_users.save_user(row, actor=actor, at=at)
        if form.cleaned_data.get("new_password"):
            identity_users.set_password(row, password=form.cleaned_data["new_password"], actor=actor, at=at)

    def remove(self, row: User, *, actor: Actor, at: datetime) -> None:
        identity_users.delete_user(row, actor=actor, at=at)

    def sections(self, request: HttpRequest, row: User) -> list[Section]:
        """The groups that the user is in, and the keys."""
        return [self._groups(request, row), self._keys(request, row)]

    def _groups(self, request: HttpRequest, user: User) -> Section:
        chains = sorted(groups.groups_of(user).values(), key=lambda chain: (len(chain), chain[-1].scaikey_id))
        page = admin_sections.paged(request, "groups", chains)
        return Section(
            "groups",
            "Groups",
            ("Group", "Name", "Member through"),
            page,
            [(admin_sections.link(chain[-1]), chain[-1].name, describe_chain(chain[:-1])) for chain in page],
            empty="In no group.",
        )

    def _keys(self, request: HttpRequest, user: User) -> Section:
        kept: QuerySet[ApiKey] = user.api_keys.filter(revoked_at=None).select_related("live").order_by("-created_at")
        page = admin_sections.paged(request, "keys", kept)
        revoke = RevokeKeys.name
        return Section(
            "keys",
            "API keys that are not revoked",
            ("Begins with", "Name", "Opens", "Last used", "Expires", "State", ""),
            page,
            [
                (
                    admin_sections.link(key, f"{key.prefix}…"),
                    key.name,
                    describe_limit(key),
                    key.last_used_at or "never",
                    key.expires_at or "never",
                    "live" if hasattr(key, "live") else "opens nothing",
                    admin_sections.action_button(request, key, revoke, "Revoke"),
                )
                for key in page
            ],
            empty="No key.",
            more=admin_sections.list_link(ApiKey, "All keys, revoked ones too", user__id__exact=user.pk),
        )


def _keys(count: int) -> str:
    return f"{count} key{'' if count == 1 else 's'}"


def _outranks(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_superuser or admin_base.actor(request).tenants is None

"""What the file may contain. A key that is not here is an error: a typing mistake must not pass in silence."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Text = Annotated[str, Meta(min_length=1)]


class DeclaredUser(Struct, forbid_unknown_fields=True, kw_only=True):
    """A user. The password is set when the user is made, and never again."""

    email: Text
    name: str | UnsetType = UNSET
    role: Literal["tenant_admin", "tenant_user", "tenant_viewer"] | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    staff: bool | UnsetType = UNSET
    superuser: bool | UnsetType = UNSET
    password: Text | UnsetType = UNSET


class DeclaredGroup(Struct, forbid_unknown_fields=True, kw_only=True):
    """A ScaiKey group. `members` replaces its members: e-mail addresses, and `group:ID` for a nested group."""

    id: Text
    name: str | UnsetType = UNSET
    members: list[Text] | UnsetType = UNSET


class DeclaredFlow(Struct, forbid_unknown_fields=True, kw_only=True):
    """A flow, known by its name in its tenant: a v2 document in another file, or in this one."""

    file: Text | UnsetType = UNSET
    content: dict[str, Any] | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    description: str | UnsetType = UNSET
    deploy: bool = False
    accept_memory_change: bool = False
    slug: Text | UnsetType = UNSET
    publish_as_model: bool | UnsetType = UNSET
    group_ids: list[Text] | UnsetType = UNSET


class DeclaredLimit(Struct, forbid_unknown_fields=True, kw_only=True):
    """A limit: of the whole tenant, a user (e-mail address) or a group (id); of all models, or of one (its slug)."""

    measure: Literal["requests", "tokens", "money"]
    per: Literal["minute", "day", "month"]
    amount: Annotated[float, Meta(gt=0, le=10**13)]
    each: Literal["user", "key"] | UnsetType = UNSET
    user: Text | UnsetType = UNSET
    group: Text | UnsetType = UNSET
    model: Text | UnsetType = UNSET
    soft: bool = False


class DeclaredTenant(Struct, forbid_unknown_fields=True, kw_only=True):
    """An organisation and what belongs to it."""

    slug: Text
    name: Text | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    users: list[DeclaredUser] = []
    groups: list[DeclaredGroup] = []
    flows: list[DeclaredFlow] = []
    limits: list[DeclaredLimit] = []


class Declaration(Struct, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    tenants: list[DeclaredTenant]

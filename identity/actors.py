"""Who asks: made once, where the request comes in, and passed inward; nothing below a view sees a request."""

from __future__ import annotations

from dataclasses import dataclass

from identity.errors import NotAllowed
from identity.models import Role, User


@dataclass(frozen=True)
class Actor:
    """Somebody who changes something: a name for the audit log and the tenants whose admin it is.

    `tenants` is None for an actor that manages every tenant (the operator's command line, a superuser).
    """

    name: str
    user_id: str = ""
    tenants: frozenset[str] | None = frozenset()

    def manages(self, tenant: str) -> bool:
        """Whether this actor may change what belongs to `tenant`."""
        return self.tenants is None or tenant in self.tenants

    def must_manage(self, tenant: str) -> None:
        """Raise `NotAllowed` unless this actor may change what belongs to `tenant`."""
        if not self.manages(tenant):
            raise NotAllowed


def actor_of(user: User) -> Actor:
    """The user at the API or in the web UI: an admin of the own tenant, or of none. Superusers are no exception."""
    is_admin = user.is_active and user.role == Role.ADMIN
    return Actor(user.email, user.pk, frozenset({user.tenant_id} if is_admin else ()))


def staff_actor_of(user: User) -> Actor:
    """The user in Django admin: a superuser manages every tenant, other staff the own one."""
    if not (user.is_active and user.is_staff):
        return Actor(user.email, user.pk)
    return Actor(user.email, user.pk, None if user.is_superuser else frozenset({user.tenant_id}))


def operator(command: str) -> Actor:
    """Whoever holds the machine's command line."""
    return Actor(f"manage.py {command}", tenants=None)

"""Who asks: made once, where the request comes in, and passed inward; nothing below a view sees a request."""

from __future__ import annotations

from dataclasses import dataclass

from identity.errors import NotAllowed
from identity.models import Door, Role, User


@dataclass(frozen=True)
class Actor:
    """Somebody who changes something: a name for the audit log, the tenants whose admin it is, and where it came in.

    `tenants` is None for an actor that manages every tenant (the operator's command line, a superuser). `is_staff`
    is about what tenant admins may not do for themselves, such as lifting a hold.
    """

    name: str
    user_id: str = ""
    tenants: frozenset[str] | None = frozenset()
    door: str = ""
    is_staff: bool = False

    def manages(self, tenant: str) -> bool:
        """Whether this actor may change what belongs to `tenant`."""
        return self.tenants is None or tenant in self.tenants

    def must_manage(self, tenant: str) -> None:
        """Raise `NotAllowed` unless this actor may change what belongs to `tenant`."""
        if not self.manages(tenant):
            raise NotAllowed

    def must_be_staff(self) -> None:
        """Raise `NotAllowed` unless this actor is staff in the admin, or the operator."""
        if not self.is_staff:
            raise NotAllowed("Only staff may do that.")


def actor_of(user: User, *, door: Door = Door.PAGE) -> Actor:
    """The user in the web UI or at the API: an admin of their own tenant, or of none. Superusers are no exception."""
    is_admin = user.is_active and user.role == Role.ADMIN
    return Actor(user.email, user.pk, frozenset({user.tenant_id} if is_admin else ()), door)


def staff_actor_of(user: User) -> Actor:
    """The user in Django admin: a superuser manages every tenant, other staff their own."""
    if not (user.is_active and user.is_staff):
        return Actor(user.email, user.pk, door=Door.ADMIN)
    tenants = None if user.is_superuser else frozenset({user.tenant_id})
    return Actor(user.email, user.pk, tenants, Door.ADMIN, is_staff=True)


def operator(command: str) -> Actor:
    """Whoever holds the machine's command line."""
    return Actor(f"manage.py {command}", tenants=None, door=Door.COMMAND, is_staff=True)

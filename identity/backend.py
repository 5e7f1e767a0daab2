"""Signing in to pages."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser

from identity.models import User


class TenantBackend(ModelBackend):
    """By e-mail address and password, for active users of active tenants. Asked again on every request."""

    def user_can_authenticate(self, user: User | AnonymousUser | None) -> bool:
        """Whether `user` may have a session now: the same two switches that a key must pass."""
        return isinstance(user, User) and user.is_active and user.tenant.is_active

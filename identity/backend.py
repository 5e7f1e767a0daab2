"""Signing in to pages."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from identity.models import User
from identity.sign_in import throttle


class TenantBackend(ModelBackend):
    """By e-mail address and password, for active users of active tenants. Asked again on every request.

    Every form that takes a password comes through here, so the limit on tries cannot be walked around.
    """

    def authenticate(  # type: ignore[override]  # it takes the same by keyword, as Django calls it
        self, request: HttpRequest | None, **given: Any
    ) -> User | None:
        """The user with this `username` and `password`; raises `SignInThrottled` after too many tries."""
        email, password = given.get("username"), given.get("password")
        if request is None or email is None or password is None:
            return super().authenticate(request, **given)
        address = request.META.get("REMOTE_ADDR", "")
        throttle.admit(email, address)
        user = super().authenticate(request, **given)
        if user is not None:
            throttle.forgive(email, address)
        return user

    async def aauthenticate(  # type: ignore[override]
        self, request: HttpRequest | None, **given: Any
    ) -> User | None:
        """The same for asynchronous callers."""
        return await sync_to_async(self.authenticate)(request, **given)

    def user_can_authenticate(self, user: User | AnonymousUser | None) -> bool:
        """Whether `user` may have a session now: the same two switches that a key must pass."""
        return isinstance(user, User) and user.is_active and user.tenant.is_active

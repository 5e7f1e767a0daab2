"""Forms that take a password, for pages and admin alike: signing in, changing one's own, and choosing a new one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    PasswordResetForm,
    SetPasswordForm,
    UsernameField,
)
from django.core.exceptions import ValidationError
from django.utils import timezone

from identity import users
from identity.actors import Actor, actor_of, staff_actor_of
from identity.models import User
from identity.sign_in import throttle

THROTTLED = "throttled"


class ThrottledForm:
    """Says so when there were too many tries; the answer is then a 429 (`is_throttled`)."""

    wait_s: int = 0

    def clean(self) -> Any:
        """What the form finds, or that somebody has to wait."""
        try:
            # The form's own, which comes after this class wherever it is used.
            return super().clean()  # type: ignore[misc]
        except throttle.SignInThrottled as error:
            self.wait_s = error.wait_s
            raise ValidationError(str(error), code=THROTTLED) from None


class SignInForm(ThrottledForm, AuthenticationForm):
    """E-mail address and password; `identity.backend` decides whose account is active."""

    username = UsernameField(
        label="E-mail address", widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"})
    )
    error_messages = {
        "invalid_login": "No active account has this e-mail address and password. Check both and try again.",
    }


class StaffSignInForm(ThrottledForm, AdminAuthenticationForm):
    """The same for Django admin."""


class OwnPasswordForm(PasswordChangeForm):
    """The old password and a new one of the signed-in user; set by the action, which leaves the audit entry."""

    user: User

    def __init__(self, *args: Any, address: str = "", **more: Any) -> None:
        super().__init__(*args, **more)
        self.address = address

    def clean_old_password(self) -> str:
        """The old password, asked as rarely as at the sign-in: a stolen session must not guess it either."""
        try:
            throttle.admit(self.user.email, self.address)
        except throttle.SignInThrottled as error:
            raise ValidationError(str(error), code=THROTTLED) from None
        old = str(super().clean_old_password())
        throttle.forgive(self.user.email, self.address)
        return old

    def save(self, commit: bool = True) -> User:
        """Set the new password, which ends the user's other sessions."""
        return _set(self.user, self.cleaned_data["new_password1"], self.actor())

    def actor(self) -> Actor:
        """Who changes it."""
        return actor_of(self.user)


class StaffOwnPasswordForm(OwnPasswordForm):
    """The same in Django admin."""

    def actor(self) -> Actor:
        """Who changes it."""
        return staff_actor_of(self.user)


class ForgottenPasswordForm(PasswordResetForm):
    """The address to which a link is sent, if somebody with a password has it. The answer never says whether."""

    def get_users(self, email: str) -> Iterable[User]:
        """The active user of an active tenant with this address."""
        found = User.objects.filter(email=email.strip().lower(), is_active=True, tenant__is_active=True)
        return (user for user in found if user.has_usable_password())

    def save(self, **options: Any) -> None:  # type: ignore[override]
        """Send the link. It leads to the address that the operator set, never to the one in the request."""
        host = settings.PUBLIC_URL.partition("://")[2]
        super().save(**options | {"domain_override": host, "use_https": settings.PUBLIC_URL.startswith("https://")})


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """A new password of whoever opened the link in the mail."""

    user: User

    def save(self, commit: bool = True) -> User:
        """Set it; the user did so."""
        return _set(self.user, self.cleaned_data["new_password1"], actor_of(self.user))


def _set(user: User, password: str, actor: Actor) -> User:
    users.set_password(user, password=password, actor=actor, at=timezone.now())
    return user

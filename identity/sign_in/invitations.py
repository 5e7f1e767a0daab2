"""Links with which a person sets a password: signed, for one use, for a week.

Nothing is stored: a link carries a digest of the password that the account had when it was made, so that the first
password that is set with it, or by any other way, ends it. A new link ends the earlier ones of a person without one.
"""

from __future__ import annotations

import smtplib
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from identity import audit, users
from identity.actors import Actor, actor_of
from identity.errors import Conflict, NotAllowed, NotFound
from identity.models import User

LIFE: Final = timedelta(days=7)
_SALT: Final = "identity.invitation"


class InvitationEnded(NotFound):
    """The link was used, is too old, or never existed; or the account is switched off."""

    message = "This link does not work any more. Ask an admin for a new one."


@transaction.atomic
def invite(user: User, *, actor: Actor, at: datetime) -> str:
    """The URL with which `user` sets a password within `LIFE`. Whoever has it signs in as the user."""
    actor.must_manage(user.tenant_id)
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if (locked.is_staff or locked.is_superuser) and not actor.is_staff:
        raise NotAllowed("Only staff may give staff a new password, in the admin.")
    if locked.is_superuser and actor.tenants is not None:
        raise NotAllowed("Only a superuser may change a superuser.")
    if not locked.is_active:
        raise Conflict("The account is switched off. Switch it on first.")
    if not locked.has_usable_password():
        locked.set_unusable_password()  # another one, which ends earlier links
        locked.save(update_fields=["password"])
    audit.record("user.invited", locked.pk, tenant=locked.tenant_id, actor=actor, at=at, after={"email": locked.email})
    token = signing.dumps([locked.pk, _digest(locked)], salt=_SALT)
    return f"{settings.PUBLIC_URL}{reverse('invitation', args=[token])}"


@transaction.atomic
def find_invited(token: str) -> User:
    """Whose link this is; `InvitationEnded` where it does not work."""
    try:
        user_id, digest = signing.loads(token, salt=_SALT, max_age=LIFE)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvitationEnded from None
    user = User.objects.select_for_update(of=("self",), no_key=True).select_related("tenant").filter(pk=user_id).first()
    if user is None or not (user.is_active and user.tenant.is_active):
        raise InvitationEnded
    if not constant_time_compare(digest, _digest(user)):
        raise InvitationEnded
    return user


def accept(token: str, *, password: str, at: datetime) -> User:
    """Set the password of whoever was invited; `Invalid` where it is too weak, and the link still works."""
    with transaction.atomic():
        user = find_invited(token)
        users.set_password(user, password=password, actor=actor_of(user), at=at)
        return user


def mail(user: User, url: str, *, actor: Actor) -> bool:
    """Send the link to `user`; whether the mail server took it."""
    text = render_to_string("account/invitation_mail.txt", {"user": user, "url": url, "by": actor.name})
    try:
        send_mail(f"Your account at ScaiGrid ({user.tenant})", text, None, [user.email])
    except (OSError, smtplib.SMTPException):
        return False
    return True


def _digest(user: User) -> str:
    """What a new password or another address changes."""
    return salted_hmac(_SALT, f"{user.password}\n{user.email}", algorithm="sha256").hexdigest()

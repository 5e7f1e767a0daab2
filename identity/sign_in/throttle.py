"""How often passwords may be tried: for one account from one address, from one address, and for one account.

Counted by PostgreSQL alone, so that all processes count together, and before the password is hashed, so that a flood
of wrong ones is cheap to refuse. Each limit is a leaky bucket (GCRA): `burst` tries at once, then one every `every_s`
seconds. What is stored are digests; no address and no e-mail address can be read from them.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import math
from typing import Any, Final, NamedTuple

from django.db import connection
from django.utils import timezone

from identity import audit
from identity.actors import Actor
from identity.models import User

log = logging.getLogger(__name__)

Values = dict[str, str | float]


class Limit(NamedTuple):
    """At most `burst` tries at once, then one every `every_s` seconds."""

    name: str
    burst: int
    every_s: float


# Tight where a stranger guesses: the rightful user at another address is not held up by it.
PAIR: Final = Limit("account and address", 5, 60.0)
# Loose, for an office behind one address: a right password gives its try back.
ADDRESS: Final = Limit("address", 50, 5.0)
# Against many addresses that guess together. It does not count where the account signed in before.
ACCOUNT: Final = Limit("account", 100, 60.0)
# One entry in the audit log for each wave of tries, not one for each try.
ENTRY: Final = Limit("entry", 1, 600.0)
REMEMBERED_S: Final = 90 * 86_400.0

TAKE = """
INSERT INTO identity_signincell AS cell (subject, due)
VALUES (%(subject)s, extract(epoch FROM clock_timestamp()) + %(every)s)
ON CONFLICT (subject) DO UPDATE
SET due = greatest(cell.due, extract(epoch FROM clock_timestamp())) + %(every)s
WHERE greatest(cell.due, extract(epoch FROM clock_timestamp()))
      <= extract(epoch FROM clock_timestamp()) + %(every)s * (%(burst)s - 1)
RETURNING due
"""
WAIT = """
SELECT due - %(every)s * (%(burst)s - 1) - extract(epoch FROM clock_timestamp())
FROM identity_signincell WHERE subject = %(subject)s
"""
GIVE_BACK = "UPDATE identity_signincell SET due = due - %(every)s WHERE subject = %(subject)s"
FORGET = "DELETE FROM identity_signincell WHERE subject = %(subject)s"
KNOW = """
INSERT INTO identity_signincell (subject, due) VALUES (%(subject)s, extract(epoch FROM now()) + %(remembered)s)
ON CONFLICT (subject) DO UPDATE SET due = EXCLUDED.due
"""
IS_KNOWN = "SELECT 1 FROM identity_signincell WHERE subject = %(subject)s AND due > extract(epoch FROM now())"
PRUNE = "DELETE FROM identity_signincell WHERE due < extract(epoch FROM now()) - 86400"


class SignInThrottled(Exception):
    """Too many tries; the next one is allowed in `wait_s` seconds."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"Too many attempts. Wait {shown_wait(wait_s)} and try again.")
        self.wait_s = wait_s


def shown_wait(wait_s: int) -> str:
    """The seconds as people say them."""
    minutes = math.ceil(wait_s / 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes"


def admit(email: str, address: str) -> None:
    """Count one try for the account with this e-mail address; `SignInThrottled` when there were too many."""
    account, place = email.strip().lower(), network_of(address)
    limits = [(PAIR, f"{account}\n{place}"), (ADDRESS, place)]
    if not _row(IS_KNOWN, _known(account, place)):
        limits.append((ACCOUNT, account))
    for limit, subject in limits:
        wait_s = _take(limit, subject)
        if wait_s:
            _note(account, place, limit)
            raise SignInThrottled(wait_s)


def forgive(email: str, address: str) -> None:
    """After a right password: this account starts anew at this address, and is known there from now on."""
    account, place = email.strip().lower(), network_of(address)
    _run(FORGET, {"subject": _subject(PAIR, f"{account}\n{place}")})
    _run(GIVE_BACK, {"subject": _subject(ADDRESS, place), "every": ADDRESS.every_s})
    _run(KNOW, _known(account, place) | {"remembered": REMEMBERED_S})


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 one, which a single household owns whole."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _take(limit: Limit, subject: str) -> int:
    """0 when the try is allowed, else the whole seconds until the next one is."""
    values: Values = {"subject": _subject(limit, subject), "every": limit.every_s, "burst": limit.burst}
    if _row(TAKE, values):
        return 0
    [wait] = _row(WAIT, values) or [0.0]
    return max(1, math.ceil(wait))


def _note(account: str, place: str, limit: Limit) -> None:
    """Say in the log, and in the audit log of the account's tenant, that tries were refused."""
    if _take(ENTRY, f"{account}\n{place}"):
        return
    log.warning("signin.throttled: too many attempts by %s from %s", limit.name, place)
    user = User.objects.filter(email=account).first()
    if user is not None:
        audit.record(
            "signin.throttled",
            user.pk,
            tenant=user.tenant_id,
            actor=Actor(f"somebody at {place}"),
            at=timezone.now(),
            after={"email": user.email, "address": place, "limit": limit.name},
        )


def _known(account: str, place: str) -> Values:
    return {"subject": hashlib.sha256(f"known\n{account}\n{place}".encode("utf-8", "replace")).hexdigest()}


def _subject(limit: Limit, subject: str) -> str:
    return hashlib.sha256(f"{limit.name}\n{subject}".encode("utf-8", "replace")).hexdigest()


def _row(statement: str, values: Values) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def _run(statement: str, values: Values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)

"""API keys: minted once, shown once, found by one indexed digest."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from identity import audit
from identity.actors import Actor
from identity.errors import Conflict, Invalid, NotAllowed, Problem
from identity.models import ApiKey, LiveKey, User

SCHEME = "sgk_"
STALE_AFTER = timedelta(minutes=1)
MOST_MODELS = 100
LONGEST_MODEL = 200
PLAYGROUND = "Playground"
PLAYGROUND_LIFE = timedelta(minutes=15)

# A key is due for a new note of its last use. Not noting every use spares the row a write for each call.
IS_STALE = f"(k.last_used_at IS NULL OR k.last_used_at < now() - interval '{STALE_AFTER.total_seconds():.0f} seconds')"

# Which keys open anything now: what the view `identity_live_key` selects. Migrations make the view and a test compares
# it with this text, so a change here needs a migration.
LIVE_KEY = f"""
SELECT k.id AS key_id, k.digest, k.user_id, u.tenant_id,
       {IS_STALE} AS is_stale, k.models
FROM identity_apikey k
JOIN identity_user u ON u.id = k.user_id AND u.is_active
JOIN identity_tenant t ON t.slug = u.tenant_id AND t.is_active
WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
"""  # noqa: S608  the condition is the constant above

# Asked again in the statement: of many calls in the same moment one writes.
TOUCH = f"UPDATE identity_apikey k SET last_used_at = now() WHERE k.id = ANY(%s) AND {IS_STALE}"  # noqa: S608


def digest(secret: str) -> bytes:
    """The 32 bytes under which a key is stored. Keys carry 256 random bits, so a plain SHA-256 is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


@transaction.atomic
def mint(
    *,
    user: User,
    name: str,
    actor: Actor,
    at: datetime,
    expires_at: datetime | None = None,
    models: Sequence[str] | None = None,
) -> tuple[ApiKey, str]:
    """A new key of `user` and its secret (`sgk_` and 43 url-safe characters), which is stored nowhere.

    `models`: the published names that it is limited to. Whether the user may call them is decided at each call.
    """
    _must_own(user, actor)
    if not name.strip():
        raise Invalid("The key has no name.", [Problem("name", "Give the key a name that says where it is used.")])
    if expires_at is not None and expires_at <= at:
        raise Invalid("The key would be expired.", [Problem("expires_at", "Choose a time in the future.")])
    limit = None if models is None else _limit(models)
    secret = SCHEME + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        user=user,
        name=name.strip()[:200],
        prefix=secret[:10],
        digest=digest(secret),
        created_at=at,
        expires_at=expires_at,
        models=limit,
    )
    audit.record("key.minted", key.pk, tenant=user.tenant_id, actor=actor, at=at, after=_audit_view(key))
    return key, secret


@transaction.atomic
def revoke(key: ApiKey, *, actor: Actor, at: datetime) -> None:
    """End `key` now and for good; a second time changes nothing."""
    _must_own(key.user, actor)
    ended = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at)
    if ended:
        audit.record("key.revoked", key.pk, tenant=key.user.tenant_id, actor=actor, at=at, before=_audit_view(key))


@transaction.atomic
def rotate(key: ApiKey, *, overlap: timedelta, actor: Actor, at: datetime) -> tuple[ApiKey, str]:
    """A new key in place of `key`, which works for `overlap` at most, so that clients can change over meanwhile.

    The new one has the owner, name, limit and lifetime of the old one.
    """
    _must_own(key.user, actor)
    if overlap < timedelta(0):
        raise Invalid("The overlap is negative.", [Problem("overlap", "Let the old key end now or later.")])
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("user").get(pk=key.pk)
    if old.revoked_at or (old.expires_at and old.expires_at <= at):
        raise Conflict("This key has ended already. Make a new one instead.")
    life = old.expires_at - old.created_at if old.expires_at else None
    made, secret = mint(
        user=old.user, name=old.name, actor=actor, at=at, expires_at=at + life if life else None, models=old.models
    )
    before = _audit_view(old)
    old.expires_at = min(old.expires_at or at + overlap, at + overlap)
    # The clock of the database may be a little behind `at`, and "now" must not wait for it.
    old.revoked_at = None if overlap else at
    old.save(update_fields=["expires_at", "revoked_at"])
    audit.record(
        "key.rotated",
        old.pk,
        tenant=old.user.tenant_id,
        actor=actor,
        at=at,
        before=before,
        after={**_audit_view(old), "successor": made.pk},
    )
    return made, secret


@transaction.atomic
def mint_for_playground(*, user: User, actor: Actor, at: datetime) -> tuple[ApiKey, str]:
    """A key that lives minutes, for the browser of `user`; the one before it ends."""
    if actor.user_id != user.pk:
        raise NotAllowed("Only the user may do that.")
    for earlier in ApiKey.objects.filter(for_playground(), user=user, revoked_at=None, expires_at__gt=at):
        revoke(earlier, actor=actor, at=at)
    return mint(user=user, name=PLAYGROUND, expires_at=at + PLAYGROUND_LIFE, actor=actor, at=at)


def for_playground() -> Q:
    """Keys of the playground. The lifetime counts too: somebody may have given a lasting key this name."""
    return Q(name=PLAYGROUND, expires_at__lte=F("created_at") + PLAYGROUND_LIFE)


def is_for_playground(key: ApiKey) -> bool:
    """Whether `key` is one of those: it opens the chat and the runs of its user, nothing else."""
    return key.name == PLAYGROUND and key.expires_at is not None and key.expires_at <= key.created_at + PLAYGROUND_LIFE


def find(secret: str) -> LiveKey | None:
    """The live key with this secret, with its user and tenant."""
    return LiveKey.objects.select_related("user__tenant", "key").filter(digest=digest(secret)).first()


def bearer(authorization: str | None) -> str | None:
    """The secret in an `Authorization` header; None when the header is missing or is of another scheme."""
    scheme, _, secret = (authorization or "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def touch(live: LiveKey, *, at: datetime) -> None:
    """Record that the key was used, when the last record is a minute old."""
    if live.is_stale:
        # Asked again in the statement: of many calls in the same moment one writes.
        is_old = Q(last_used_at=None) | Q(last_used_at__lt=at - STALE_AFTER)
        ApiKey.objects.filter(is_old, pk=live.key_id).update(last_used_at=at)


def _must_own(user: User, actor: Actor) -> None:
    if actor.user_id != user.pk and not actor.manages(user.tenant_id):
        raise NotAllowed("Only the user or an admin of the tenant may do that.")


def _limit(models: Sequence[str]) -> list[str]:
    """The chosen names, each once."""
    chosen = list(dict.fromkeys(name.strip() for name in models))
    if not chosen:
        advice = "Name at least one model, or leave the list out for a key without a limit."
        raise Invalid("The key would open nothing.", [Problem("models", advice)])
    if len(chosen) > MOST_MODELS:
        raise Invalid("The key names too many models.", [Problem("models", f"Name at most {MOST_MODELS} models.")])
    if not all(0 < len(name) <= LONGEST_MODEL and "\0" not in name for name in chosen):
        advice = f"Send published names of 1 to {LONGEST_MODEL} characters."
        raise Invalid("The key names a model that cannot be.", [Problem("models", advice)])
    return chosen


def _audit_view(key: ApiKey) -> dict[str, str | list[str] | None]:
    expires_at = key.expires_at.isoformat() if key.expires_at else None
    shown: dict[str, str | list[str] | None] = {
        "user": key.user.email,
        "name": key.name,
        "prefix": key.prefix,
        "expires_at": expires_at,
    }
    return shown if key.models is None else shown | {"models": key.models}

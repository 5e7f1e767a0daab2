"""From a bearer key and the registry's decision to an allowed call, or to the one refusal that fits."""

from __future__ import annotations

from collections.abc import Collection

from django.utils import timezone

from chatapi import usage
from chatapi.errors import AccessDenied, KeyInvalid, KeyMissing, ModelUnknown
from identity import keys
from publishing import registry
from publishing.limits import Estimate

NOT_NAMED = "This key is limited to chosen models, and this is none of them."


def digest_of(authorization: str | None) -> bytes:
    """The digest of the key in an `Authorization` header; `KeyInvalid` when there is none."""
    if not authorization:
        raise KeyMissing
    secret = keys.bearer(authorization)
    if not secret:
        raise KeyInvalid
    return keys.digest(secret)


async def authenticate(authorization: str | None) -> str:
    """The id of the key, whatever it is used for; `KeyInvalid` when it opens nothing."""
    return (await identify(authorization)).key_id or ""


async def identify(authorization: str | None) -> registry.AccessDecision:
    """Whose key it is, of which tenant, whatever it is used for; `KeyInvalid` when it opens nothing."""
    return _check_key(await registry.resolve(digest_of(authorization), ""))


async def is_named(authorization: str | None, models: Collection[str]) -> bool:
    """Whether the key may be used for all of these models, as far as its own limit goes."""
    digest = digest_of(authorization)
    return all([(await registry.resolve(digest, model)).is_named for model in models])


async def authorize(authorization: str | None, model: str, estimate: Estimate | None = None) -> registry.AllowedCall:
    """The caller and the model, when the call is allowed; one statement decides all of it.

    `estimate`: what the call takes of its limits with that; without one it only asks, and takes nothing.
    """
    digest = digest_of(authorization)
    asked = registry.resolve(digest, model) if estimate is None else registry.reserve(digest, model, estimate)
    decision = _check_key(await asked)
    if decision.core_id is None:
        raise ModelUnknown(model)
    if not decision.is_named:
        # The same for users who may call it and users who may not. Admins are not notified: a group would not help.
        raise AccessDenied(NOT_NAMED)
    allowed = decision.allowed()
    if allowed is None:
        usage.record_refusal(decision.core_id, decision.user_id or "", timezone.now())
        raise AccessDenied
    return allowed


def _check_key(decision: registry.AccessDecision) -> registry.AccessDecision:
    if decision.key_id is None:
        raise KeyInvalid
    if decision.is_stale:
        usage.touch(decision.key_id)
    return decision

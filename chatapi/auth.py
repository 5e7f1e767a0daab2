"""From a bearer key and the registry's verdict to an allowed call, or to the one refusal that fits."""

from __future__ import annotations

from django.utils import timezone

from chatapi import usage
from chatapi.errors import AccessDenied, KeyInvalid, KeyMissing, ModelUnknown
from identity import keys
from publishing import registry

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
    """The id of the key, whatever is called; `KeyInvalid` when it opens nothing."""
    verdict = _live(await registry.resolve(digest_of(authorization), ""))
    return verdict.key_id or ""


async def authorize(authorization: str | None, model: str) -> registry.AllowedCall:
    """The caller and the model, when the call is allowed; one statement decides all of it."""
    verdict = _live(await registry.resolve(digest_of(authorization), model))
    if verdict.core_id is None:
        raise ModelUnknown(model)
    if not verdict.is_named:
        # Said whether or not the user may call it, and noted for no admin: a membership would not help.
        raise AccessDenied(NOT_NAMED)
    allowed = verdict.allowed()
    if allowed is None:
        usage.refuse(verdict.core_id, verdict.user_id or "", timezone.now())
        raise AccessDenied
    return allowed


def _live(verdict: registry.AccessDecision) -> registry.AccessDecision:
    if verdict.key_id is None:
        raise KeyInvalid
    if verdict.is_stale:
        usage.touch(verdict.key_id)
    return verdict

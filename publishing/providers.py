"""Model providers as they are called: the tenant's own, and the operator's from `MODEL_PROVIDERS`.

A tenant's own provider wins over the operator's of the same ref: what the operator adds later must not send a
tenant's words to another server than before.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.conf import settings

from publishing import outbound, vault
from publishing.db import pool
from publishing.models import ModelProvider
from publishing.outbound import Allowed
from scaicore.model_options import NO_OPTIONS, ModelOptions

log = logging.getLogger(__name__)

TIMEOUT_S = 60.0
_CHAT = re.compile(r"/chat/completions/*\Z", re.IGNORECASE)

FIND = """
SELECT ref, base_url, sealed_key, timeout_s, options
FROM publishing_modelprovider WHERE tenant_id = %s AND ref = ANY(%s)
"""


@dataclass(frozen=True)
class Provider:
    """A provider, ready to be called. `hosts`: those that it may be at although they are not public."""

    base_url: str
    api_key: str = field(repr=False)
    timeout_s: float
    hosts: Allowed
    options: ModelOptions = NO_OPTIONS


def providers_of(tenant_id: str) -> frozenset[str]:
    """The refs that the tenant's flows may name."""
    own = ModelProvider.objects.filter(tenant=tenant_id).values_list("ref", flat=True)
    return frozenset(own) | operators()


def operators() -> frozenset[str]:
    """The refs of the operator's providers, which every tenant may name."""
    return frozenset(settings.MODEL_PROVIDERS)


async def find(tenant_id: str, refs: Collection[str]) -> dict[str, Provider]:
    """The providers of these refs that exist now and whose key can be read; one statement."""
    rows = {row[0]: row[1:] for row in await pool.rows(FIND, [tenant_id, list(refs)])}
    known = [ref for ref in refs if ref in rows or ref in settings.MODEL_PROVIDERS]
    found = {ref: _own(tenant_id, ref, *rows[ref]) if ref in rows else _operators(ref) for ref in known}
    return {ref: provider for ref, provider in found.items() if provider is not None}


def ready(provider: ModelProvider) -> Provider | None:
    """The tenant's own provider, ready to be called; None when its key cannot be read."""
    sealed = None if provider.sealed_key is None else bytes(provider.sealed_key)
    return _own(provider.tenant_id, provider.ref, provider.base_url, sealed, provider.timeout_s, provider.options)


def ready_by_ref(tenant_id: str, ref: str) -> Provider | None:
    """The provider that the tenant's flows mean by this ref, ready to be called; None when there is none, or when its
    key cannot be read."""
    own = ModelProvider.objects.filter(tenant=tenant_id, ref=ref).first()
    if own is not None:
        return ready(own)
    return _operators(ref) if ref in settings.MODEL_PROVIDERS else None


def base_of(url: str) -> str:
    """The base URL in what may be the URL of the chat itself, as it is often copied."""
    return _CHAT.sub("", url.rstrip("/")).rstrip("/")


def chat_url(base_url: str) -> str:
    """Where a provider's chat is called."""
    return f"{base_of(base_url)}/chat/completions"


def models_url(base_url: str) -> str:
    """Where a provider lists its models."""
    return f"{base_of(base_url)}/models"


def key_context(tenant_id: str, ref: str) -> str:
    """What a provider's key is sealed for: the row that holds it."""
    return f"provider {tenant_id} {ref}"


def _own(
    tenant_id: str, ref: str, base_url: str, sealed: bytes | None, timeout_s: float, options: dict[str, Any]
) -> Provider | None:
    try:
        key = "" if sealed is None else vault.unseal(sealed, context=key_context(tenant_id, ref))
    except vault.Unreadable:
        log.error("provider.unreadable tenant=%s ref=%s: its key was sealed under another SECRET_KEY", tenant_id, ref)
        return None
    return Provider(base_url, key, timeout_s, outbound.listed(), msgspec.convert(options, ModelOptions))


def _operators(ref: str) -> Provider | None:
    given = settings.MODEL_PROVIDERS[ref]
    try:
        hosts = outbound.listed() | outbound.named(outbound.read(given["base_url"]))
    except outbound.UrlRefused as error:
        log.error("provider.unreadable ref=%s in MODEL_PROVIDERS: %s", ref, error)
        return None
    timeout_s = float(given.get("timeout_s", TIMEOUT_S))
    options = msgspec.convert(given.get("options") or {}, ModelOptions)
    return Provider(given["base_url"], given.get("api_key", ""), timeout_s, hosts, options)

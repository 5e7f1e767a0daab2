"""Model providers: added, changed, removed. What the audit log keeps of a key is whether there is one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from identity import audit, validation
from identity.actors import Actor
from identity.errors import Invalid, Problem
from identity.models import Tenant
from publishing import providers, vault
from publishing.actions import addresses
from publishing.actions.base import UNCHANGED, Unchanged
from publishing.clients import provider_trials
from publishing.clients.provider_trials import Trial
from publishing.errors import ProviderExists, ProviderInUse, ProviderNotFound
from publishing.models import Core, ModelProvider, references
from scaicore.model_options import ModelOptions

_KEY = re.compile(r"[\x21-\x7e]{1,1000}")


@transaction.atomic
def create_provider(
    *,
    tenant: Tenant,
    ref: str,
    base_url: str,
    actor: Actor,
    at: datetime,
    api_key: str = "",
    timeout_s: float = providers.TIMEOUT_S,
    options: object = None,
) -> ModelProvider:
    """A new provider; without a key its calls carry none. A ref that is taken is refused.

    `options` as JSON, see `scaicore.model_options`; None is none.
    """
    actor.must_manage(tenant.pk)
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    if ModelProvider.objects.filter(tenant=tenant, ref=ref).exists():
        raise ProviderExists(ref)
    provider = ModelProvider(
        tenant=tenant, ref=ref, base_url=_clean_url(base_url), timeout_s=timeout_s, created_at=at, updated_at=at
    )
    provider.sealed_key = _seal(provider, api_key)
    provider.options = _clean_options(options)
    validation.store(provider)
    _record("provider.created", provider, actor, at, None, _audit_view(provider))
    return provider


@transaction.atomic
def save_provider(
    provider: ModelProvider,
    *,
    actor: Actor,
    at: datetime,
    base_url: str | Unchanged = UNCHANGED,
    api_key: str | Unchanged = UNCHANGED,
    timeout_s: float | Unchanged = UNCHANGED,
    options: object = UNCHANGED,
) -> ModelProvider:
    """Change a provider. A key that is left out stays, an empty one is removed; options are replaced as a whole.

    A key never goes to another server than it was given for: with another one in `base_url` it must be sent again.
    """
    actor.must_manage(provider.tenant_id)
    provider = _lock(provider)
    before, earlier = _audit_view(provider), provider.base_url
    if not isinstance(base_url, Unchanged):
        provider.base_url = _clean_url(base_url)
    if not isinstance(timeout_s, Unchanged):
        provider.timeout_s = timeout_s
    if not isinstance(options, Unchanged):
        provider.options = _clean_options(options)
    if not isinstance(api_key, Unchanged):
        provider.sealed_key = _seal(provider, api_key)
    elif provider.has_key and addresses.destination(provider.base_url) != addresses.destination(earlier):
        raise Invalid(
            "The key was given for another server.",
            [Problem("api_key", "Send the key again, or an empty one to call this server without.")],
        )
    provider.updated_at = at
    validation.store(provider, update_fields=["base_url", "timeout_s", "sealed_key", "options", "updated_at"])
    key = {} if isinstance(api_key, Unchanged) else {"key_replaced": True}
    _record("provider.saved", provider, actor, at, before, _audit_view(provider) | key)
    return provider


@transaction.atomic
def delete_provider(provider: ModelProvider, *, actor: Actor, at: datetime) -> None:
    """Remove a provider; refused while a live Core calls it and the operator has none of the same ref."""
    actor.must_manage(provider.tenant_id)
    provider = _lock(provider)
    slugs = references.find_slugs(references.PROVIDERS, provider.tenant_id, provider.ref)
    if slugs and provider.ref not in providers.operators():
        raise ProviderInUse(slugs)
    _record("provider.deleted", provider, actor, at, _audit_view(provider), None)
    provider.delete()


def test_provider(provider: ModelProvider, *, model: str, actor: Actor) -> Trial:
    """Call the provider now: its list of models, and a short answer of `model`; empty, of one that fits."""
    actor.must_manage(provider.tenant_id)
    ready = providers.ready(provider)
    if ready is None:
        raise Invalid("The key cannot be read.", [Problem("api_key", "Send the key again: it was sealed elsewhere.")])
    return provider_trials.hold(provider.tenant_id, provider.ref, ready, model=model, named=_named_models(provider))


def _lock(provider: ModelProvider) -> ModelProvider:
    locked = ModelProvider.objects.select_for_update().filter(pk=provider.pk).first()
    if locked is None:
        raise ProviderNotFound
    return locked


def _named_models(provider: ModelProvider) -> list[str]:
    """The models for which the tenant's live Cores name the provider."""
    programs = Core.objects.filter(tenant=provider.tenant_id, live__isnull=False)
    roles = [role for found in programs.values_list("live__program__models", flat=True) for role in found or ()]
    choices = [choice for role in roles for choice in (role, *role.get("fallback", ()))]
    return [choice["model"] for choice in choices if choice["ref"] == provider.ref]


def _clean_url(text: str) -> str:
    return providers.base_of(addresses.clean_url(text, field="base_url", title="The base URL is unusable."))


def _clean_options(given: object) -> dict[str, Any]:
    """The options as they are stored; refused when one is unknown or has a value that it cannot have."""
    unknown = set(given) - set(ModelOptions.__struct_fields__) if isinstance(given, dict) else set()
    if unknown:
        known = ", ".join(ModelOptions.__struct_fields__)
        raise Invalid("An option is unknown.", [Problem(f"options.{min(unknown)[:80]}", f"There are {known}.")])
    try:
        options: ModelOptions = msgspec.convert({} if given is None else given, ModelOptions)
    except msgspec.ValidationError as problem:
        text, _, inner = str(problem).partition(" - at `$")
        raise Invalid("An option is unusable.", [Problem(f"options{inner.rstrip('`')}", f"{text}.")]) from None
    stored: dict[str, Any] = msgspec.to_builtins(options)
    return stored


def _seal(provider: ModelProvider, api_key: str) -> bytes | None:
    key = api_key.strip()
    if key and not _KEY.fullmatch(key):
        raise Invalid("The key is unusable.", [Problem("api_key", "Send a key of 1 to 1000 visible ASCII characters.")])
    return vault.seal(key, context=providers.key_context(provider.tenant_id, provider.ref)) if key else None


def _audit_view(provider: ModelProvider) -> dict[str, Any]:
    shown = {"base_url": provider.base_url, "timeout_s": provider.timeout_s, "has_key": provider.has_key}
    return shown | ({"options": provider.options} if provider.options else {})


def _record(
    action: str, provider: ModelProvider, actor: Actor, at: datetime, before: audit.Values, after: audit.Values
) -> None:
    audit.record(action, provider.ref, tenant=provider.tenant_id, actor=actor, at=at, before=before, after=after)

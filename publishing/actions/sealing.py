"""Sealing again, after `SECRET_KEY` was changed, what an earlier key had sealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from identity import audit
from identity.actors import Actor
from publishing import providers, vault
from publishing.clients import http, remote_cores
from publishing.mcp import servers
from publishing.models import Core, McpServer, ModelProvider, Secret


class Resealed(NamedTuple):
    """How many texts were sealed again, and which ones no key opens."""

    sealed: int
    unreadable: list[str]


@transaction.atomic
def reseal(*, actor: Actor, at: datetime) -> Resealed:
    """Seal everything under the present `SECRET_KEY`; then `SECRET_KEY_FALLBACKS` may be emptied."""
    done: Counter[str] = Counter()
    unreadable = []
    for row, column, context in _lock_sealed():
        sealed = bytes(getattr(row, column))
        if vault.is_current(sealed):
            continue
        try:
            setattr(row, column, vault.seal(vault.unseal(sealed, context=context), context=context))
        except vault.Unreadable:
            unreadable.append(context)
            continue
        row.save(update_fields=[column])
        done[row.tenant_id] += 1
    for tenant, count in done.items():
        audit.record("secrets.resealed", tenant, tenant=tenant, actor=actor, at=at, after={"count": count})
    return Resealed(done.total(), unreadable)


def _lock_sealed() -> Iterator[tuple[ModelProvider | McpServer | Secret | Core, str, str]]:
    """Every row that holds a sealed text, locked until the transaction ends, with its column and its context."""
    for provider in ModelProvider.objects.select_for_update().filter(sealed_key__isnull=False):
        yield provider, "sealed_key", providers.key_context(provider.tenant_id, provider.ref)
    for server in McpServer.objects.select_for_update().filter(sealed_headers__isnull=False):
        yield server, "sealed_headers", servers.headers_context(server.tenant_id, server.ref)
    for secret in Secret.objects.select_for_update():
        yield secret, "sealed", http.secret_context(secret.tenant_id, secret.name)
    for core in Core.objects.select_for_update().filter(sealed_secret__isnull=False):
        yield core, "sealed_secret", remote_cores.secret_context(core.tenant_id, core.pk)

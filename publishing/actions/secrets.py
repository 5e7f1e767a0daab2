"""Secrets that flows name: added, replaced, removed. The audit log keeps their names alone."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction

from identity import audit, validation
from identity.actors import Actor
from identity.errors import Invalid, Problem
from identity.models import Tenant
from publishing import vault
from publishing.clients import http
from publishing.errors import SecretExists, SecretInUse, SecretNotFound
from publishing.models import Secret, references

_VALUE = re.compile(r"[\x20-\x7e]{1,4000}")


@transaction.atomic
def create_secret(*, tenant: Tenant, name: str, value: str, actor: Actor, at: datetime) -> Secret:
    """A new secret. A name that is taken is refused."""
    actor.must_manage(tenant.pk)
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    if Secret.objects.filter(tenant=tenant, name=name).exists():
        raise SecretExists(name)
    secret = Secret(tenant=tenant, name=name, created_at=at, updated_at=at)
    secret.sealed = _seal(secret, value)
    validation.store(secret)
    audit.record("secret.created", secret.name, tenant=secret.tenant_id, actor=actor, at=at)
    return secret


@transaction.atomic
def save_secret(secret: Secret, *, value: str, actor: Actor, at: datetime) -> Secret:
    """Give a secret another value; flows use it from the next call."""
    actor.must_manage(secret.tenant_id)
    secret = _lock(secret)
    secret.sealed, secret.updated_at = _seal(secret, value), at
    validation.store(secret, update_fields=["sealed", "updated_at"])
    audit.record("secret.saved", secret.name, tenant=secret.tenant_id, actor=actor, at=at)
    return secret


@transaction.atomic
def delete_secret(secret: Secret, *, actor: Actor, at: datetime) -> None:
    """Remove a secret; refused while a live Core uses it."""
    actor.must_manage(secret.tenant_id)
    secret = _lock(secret)
    if slugs := references.find_slugs(references.SECRETS, secret.tenant_id, secret.name):
        raise SecretInUse(slugs)
    audit.record("secret.deleted", secret.name, tenant=secret.tenant_id, actor=actor, at=at)
    secret.delete()


def _lock(secret: Secret) -> Secret:
    locked = Secret.objects.select_for_update().filter(pk=secret.pk).first()
    if locked is None:
        raise SecretNotFound
    return locked


def _seal(secret: Secret, value: str) -> bytes:
    if not _VALUE.fullmatch(value):
        raise Invalid(
            "The value is unusable.", [Problem("value", "Send 1 to 4000 printable ASCII characters, on one line.")]
        )
    return vault.seal(value, context=http.secret_context(secret.tenant_id, secret.name))

"""Saving a flow from its page, by the canvas or by the form: against what the page showed, with its groups checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from identity.actors import Actor
from identity.models import AuditEntry
from publishing import actions, documents
from publishing.models import Flow

WHO_MAY_CALL = ("publish_as_model", "model_visibility_group_ids")


@dataclass(frozen=True)
class Base:
    """What was saved when the page was made. The time tells of renames, which make no version."""

    version: str
    time: datetime | None


@dataclass(frozen=True)
class LastSave:
    """Who saved a flow last, as which version, and when."""

    by: str
    version: str
    at: datetime


def current_base(flow: Flow) -> Base:
    """What is saved now."""
    return Base(flow.saved.version, flow.updated_at)


@transaction.atomic
def save(flow: Flow, changes: dict[str, Any], *, base: Base, actor: Actor, at: datetime) -> str:
    """Store `changes`, named as in `actions.save_flow`, and say so in a sentence.

    `StaleSave` when anything was saved since `base`; `Invalid` for groups that a deploy would refuse, unless they
    were saved before and are not touched.
    """
    if not changes:
        return "Nothing has changed"
    before = documents.config(flow.saved.content)
    saved = actions.save_flow(flow, base_version=base.version, base_time=base.time, actor=actor, at=at, **changes).saved
    after = documents.config(saved.content)
    if any(before.get(key) != after.get(key) for key in WHO_MAY_CALL):
        actions.check_groups(flow.tenant_id, after)
    return f"Saved version {saved.version}" if "content" in changes else "Saved"


def last_save(flow: Flow) -> LastSave:
    """The newest save of `flow`, renames included."""
    saved = flow.saved
    entry = AuditEntry.objects.filter(target=flow.pk, action="flow.saved").first()
    return LastSave(entry.actor if entry else saved.created_by, saved.version, flow.updated_at)

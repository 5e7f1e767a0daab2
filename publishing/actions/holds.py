"""Holds: staff keep a Core from being published until they lift it."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction

from identity import audit
from identity.actors import Actor
from identity.errors import Conflict, Invalid, Problem
from publishing.actions import publications
from publishing.actions.base import UNCHANGED, Unchanged, lock_core
from publishing.models import Core, Hold

LONGEST_REASON = 500
# The reason is shown in one line: of a toast, a log, a table.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@transaction.atomic
def hold_core(core: Core, *, reason: str, actor: Actor, at: datetime) -> Hold:
    """Un-publish `core` and keep it so until the hold is lifted. Holding it again for the same reason changes nothing.

    Only staff may; another reason than the one it is held for is a `Conflict`.
    """
    _must_be_staff(core, actor)
    reason = _accepted(reason)
    core = lock_core(core)
    held = Hold.objects.filter(core=core).first()
    if held and held.reason != reason:
        raise Conflict(f"{held.held_by} holds this Core already: {held.reason}")
    if held:
        return held
    publications.unpublish(core, actor=actor, at=at)
    audit.record("core.held", core.pk, tenant=core.tenant_id, actor=actor, at=at, after={"reason": reason})
    return Hold.objects.create(core=core, reason=reason, held_at=at, held_by=actor.name)


@transaction.atomic
def lift_hold(core: Core, *, reason: str | Unchanged = UNCHANGED, actor: Actor, at: datetime) -> bool:
    """Let `core` be published again, which somebody then has to do; returns whether it was held. Only staff may.

    `reason`: lift only the hold that has this one.
    """
    _must_be_staff(core, actor)
    core = lock_core(core)
    held = Hold.objects.filter(core=core).first()
    if held is None:
        return False
    if not isinstance(reason, Unchanged) and reason != held.reason:
        raise Conflict(f"{held.held_by} holds this Core for another reason by now: {held.reason}")
    before = {"reason": held.reason, "held_by": held.held_by}
    held.delete()
    audit.record("core.hold_lifted", core.pk, tenant=core.tenant_id, actor=actor, at=at, before=before)
    return True


def _must_be_staff(core: Core, actor: Actor) -> None:
    actor.must_manage(core.tenant_id)
    actor.must_be_staff()


def _accepted(reason: str) -> str:
    reason = reason.strip()
    if 1 <= len(reason) <= LONGEST_REASON and not _CONTROL.search(reason):
        return reason
    advice = f"Give a reason of 1 to {LONGEST_REASON} characters in one line."
    raise Invalid("The reason is unusable.", [Problem("reason", advice)])

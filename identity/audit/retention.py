"""The one way to remove entries of the audit log: the oldest, in one piece, leaving a signed stub."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from identity.actors import Actor
from identity.audit import stubs
from identity.audit.entries import record
from identity.errors import Invalid, Problem
from identity.models import AuditEntry, AuditLink

# What lets a transaction past the trigger that refuses.
MAY_CUT: Final = "SET LOCAL scaigrid.audit_may_cut = 'on'"
LAST: Final = """
SELECT max(l.seq) FROM identity_auditlink l
WHERE l.tenant = %(tenant)s AND l.seq < coalesce((
    SELECT min(k.seq) FROM identity_auditlink k JOIN identity_auditentry e ON e.id = k.entry_id
    WHERE k.tenant = %(tenant)s AND e.at >= %(before)s), 9223372036854775807)
"""


@transaction.atomic
def cut(tenant: str, *, before: datetime, actor: Actor, at: datetime) -> int:
    """Remove the tenant's entries up to the first one that is not older than `before`; returns how many.

    The link of the last of them stays, as what the chain goes on from, and an entry `audit.cut` vouches for it.
    """
    actor.must_manage(tenant)
    if before > at:
        raise Invalid("Nothing of the future is cut.", [Problem("before", "Name a day that has passed.")])
    with connection.cursor() as cursor:
        cursor.execute(LAST, {"tenant": tenant, "before": before})
        [last] = cursor.fetchone() or [None]
    links = AuditLink.objects.filter(tenant=tenant)
    old = AuditEntry.objects.filter(pk__in=links.filter(seq__lte=last or 0).values("entry_id"))
    ends = [*old.order_by("at")[:1], *old.order_by("-at")[:1]]
    if last is None or not ends:
        return 0
    facts: dict[str, Any] = {
        "seq": last,
        "hash": bytes(links.get(seq=last).hash).hex(),
        "count": old.count(),
        "since": ends[0].at.isoformat(),
        "until": ends[-1].at.isoformat(),
    }
    with connection.cursor() as cursor:
        cursor.execute(MAY_CUT)
        old._raw_delete(old.db)  # at once: nothing hangs on an entry
        links.filter(seq__lt=last)._raw_delete(links.db)
        cursor.execute("SET LOCAL scaigrid.audit_may_cut = 'off'")
    record(stubs.ACTION, tenant, tenant=tenant, actor=actor, at=at, after=stubs.sign(tenant, facts))
    return int(facts["count"])

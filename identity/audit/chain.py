"""The chain of the audit log: each entry's hash is over the one before it, in its tenant.

The database makes the links (migration 0009) and refuses to change them or the entries. Whoever owns the database can
still do both; what they then did is found here, and a tail that was cut away by the heads that were noted elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.db import connection

from identity.audit.stubs import has_stub
from identity.models import AuditLink

CHECK: Final = """
WITH linked AS (
    SELECT l.*, e.id AS found, identity_audit_digest(e) AS now,
           lag(l.seq) OVER chain AS seq_before, lag(l.hash) OVER chain AS hash_before
    FROM identity_auditlink l LEFT JOIN identity_auditentry e ON e.id = l.entry_id
    WHERE %(tenant)s::text IS NULL OR l.tenant = %(tenant)s
    WINDOW chain AS (PARTITION BY l.tenant ORDER BY l.seq)
), judged AS (
    SELECT tenant, seq, entry_id, CASE
        WHEN seq_before IS NULL AND seq > 1 AND found IS NULL THEN NULL
        WHEN seq_before IS NULL AND seq > 1 THEN 'the links before it are gone'
        WHEN seq_before IS NOT NULL AND seq <> seq_before + 1 THEN 'the link before it is gone'
        WHEN hash <> identity_audit_hash(coalesce(hash_before, ''), seq, digest) THEN 'the link was changed'
        WHEN found IS NULL THEN 'the entry is gone'
        WHEN digest <> now THEN 'the entry was changed'
    END AS wrong FROM linked
)
SELECT DISTINCT ON (tenant) tenant, seq, entry_id, wrong FROM judged WHERE wrong IS NOT NULL ORDER BY tenant, seq
"""
UNLINKED: Final = """
SELECT DISTINCT ON (e.tenant) e.tenant, NULL::bigint, e.id, 'the entry has no link'
FROM identity_auditentry e
WHERE NOT EXISTS (SELECT 1 FROM identity_auditlink l WHERE l.entry_id = e.id)
  AND (%(tenant)s::text IS NULL OR e.tenant = %(tenant)s)
ORDER BY e.tenant, e.id
"""
# The last link, and the first: of what retention cut away, the first one that is left has no entry.
ENDS: Final = """
SELECT DISTINCT ON (tenant) tenant, seq, hash FROM identity_auditlink
WHERE %(tenant)s::text IS NULL OR tenant = %(tenant)s ORDER BY tenant, seq
"""


class Break(NamedTuple):
    """The first link of a tenant's chain that does not hold, and why; `seq` is None for an entry without a link."""

    tenant: str
    seq: int | None
    entry_id: int | None
    wrong: str


class Head(NamedTuple):
    """The end of a tenant's chain at some time: noted elsewhere, it vouches for all entries up to it."""

    tenant: str
    seq: int
    hash: str


def find_breaks(tenant: str | None = None) -> list[Break]:
    """The first broken link of each tenant, or of this one; empty where every chain holds."""
    found: dict[str, Break] = {}
    stubless = [
        Break(head.tenant, head.seq, None, "what was before it was cut away without a signed stub")
        for head in _ends(ENDS, tenant)
        if head.seq > 1 and not has_stub(*head)
    ]
    for one in [*stubless, *map(Break._make, _rows(CHECK, tenant)), *map(Break._make, _rows(UNLINKED, tenant))]:
        found.setdefault(one.tenant, one)
    return [found[name] for name in sorted(found)]


def find_heads(tenant: str | None = None) -> list[Head]:
    """The last link of each tenant's chain, or of this one's."""
    return _ends(ENDS.replace("tenant, seq\n", "tenant, seq DESC\n"), tenant)


def find_lost(heads: Iterable[Head]) -> list[Break]:
    """Which heads, noted earlier, are no longer where they were: the end of their chain was cut away or replaced."""
    lost = []
    for head in heads:
        link = AuditLink.objects.filter(tenant=head.tenant, seq=head.seq).first()
        first = AuditLink.objects.filter(tenant=head.tenant).order_by("seq").first()
        if link is None and first is not None and first.seq > head.seq:
            continue  # cut away by retention, whose stub was looked at
        if link is None:
            lost.append(Break(head.tenant, head.seq, None, "the chain is shorter than it was when its head was noted"))
        elif bytes(link.hash).hex() != head.hash:
            lost.append(Break(head.tenant, head.seq, link.entry_id, "the chain is another one than was noted"))
    return lost


def _ends(statement: str, tenant: str | None) -> list[Head]:
    return [Head(name, seq, bytes(digest).hex()) for name, seq, digest in _rows(statement, tenant)]


def _rows(statement: str, tenant: str | None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"tenant": tenant})
        return list(cursor.fetchall())

"""How many publications reach at one moment, and whether a change would let somebody new call."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from identity.models import Group
from publishing import registry
from publishing.models import Publication, Visibility

# The same decision read from the other end, for many publications at once: from what each lists down through nested
# groups to users. The view answers for one user in microseconds and for thousands in seconds; this answers for
# thousands at once. A test asks both about random groups and finds the same people. One group can be left out.
OPENING = """
WITH RECURSIVE opening (publication_id, group_id) AS (
    SELECT publication_id, group_id FROM publishing_grant WHERE publication_id = ANY (%s) AND group_id <> %s
    UNION
    SELECT o.publication_id, n.child_id FROM identity_nesting n JOIN opening o ON n.parent_id = o.group_id
    WHERE n.child_id <> %s
)
"""
NO_GROUP = -1
COUNT = f"""{OPENING}
SELECT p.core_id, CASE p.visibility
    WHEN 'tenant' THEN (SELECT count(*) FROM identity_user u WHERE u.tenant_id = p.tenant_id AND u.is_active)
    WHEN 'groups' THEN (
        SELECT count(DISTINCT m.user_id) FROM opening o
        JOIN identity_membership m ON m.group_id = o.group_id
        JOIN identity_user u ON u.id = m.user_id AND u.is_active
        WHERE o.publication_id = p.core_id)
    END
FROM publishing_publication p
JOIN publishing_core c ON c.id = p.core_id AND c.live_id IS NOT NULL
JOIN identity_tenant t ON t.slug = p.tenant_id AND t.is_active
WHERE p.core_id = ANY (%s)
"""  # noqa: S608  a text of this file, as below
# How many of those in some groups could not call each publication before. Whoever reads it knows that it is open to
# groups, since nobody would be new where everyone may call.
COUNT_NEW = f"""{OPENING}, chosen (group_id) AS (
    SELECT unnest(%s::bigint[])
    UNION
    SELECT n.child_id FROM identity_nesting n JOIN chosen c ON n.parent_id = c.group_id
), reached AS (
    SELECT DISTINCT u.id FROM chosen c JOIN identity_membership m ON m.group_id = c.group_id
    JOIN identity_user u ON u.id = m.user_id AND u.is_active
)
SELECT p.core_id, (SELECT count(*) FROM reached), (
    SELECT count(*) FROM reached r WHERE p.visibility = 'groups' AND NOT EXISTS (
        SELECT 1 FROM opening o JOIN identity_membership m ON m.group_id = o.group_id
        WHERE o.publication_id = p.core_id AND m.user_id = r.id))
FROM publishing_publication p WHERE p.core_id = ANY (%s)
"""  # noqa: S608
# Those that somebody may call: the groups that somebody active is in, directly or through nested ones, and upwards. It
# has two halves in place of an OR, as in the registry: only so each is joined, and not looked up row by row.
CALLABLE = """
WITH RECURSIVE peopled (group_id) AS (
    SELECT g.id FROM identity_group g WHERE EXISTS (
        SELECT 1 FROM identity_membership m JOIN identity_user u ON u.id = m.user_id AND u.is_active
        WHERE m.group_id = g.id)
    UNION
    SELECT n.parent_id FROM identity_nesting n JOIN peopled ON n.child_id = peopled.group_id
)
, live AS (
    SELECT p.core_id, p.visibility, p.tenant_id FROM publishing_publication p
    JOIN publishing_core c ON c.id = p.core_id AND c.live_id IS NOT NULL
    JOIN identity_tenant t ON t.slug = p.tenant_id AND t.is_active
)
SELECT core_id FROM live WHERE visibility = 'tenant' AND tenant_id IN (
    SELECT t.slug FROM identity_tenant t WHERE EXISTS (
        SELECT 1 FROM identity_user u WHERE u.tenant_id = t.slug AND u.is_active))
UNION ALL
SELECT core_id FROM live WHERE visibility = 'groups' AND core_id IN (
    SELECT g.publication_id FROM publishing_grant g JOIN peopled ON peopled.group_id = g.group_id)
"""
# The groups that a publication was last set to and that it lists no more: they were deleted since.
LOST_GROUPS = """
SELECT p.core_id, named.group_id FROM publishing_publication p
CROSS JOIN LATERAL (
    SELECT e.after FROM identity_auditentry e
    WHERE e.target = p.core_id AND e.tenant = p.tenant_id AND e.action IN ('core.published', 'publication.changed')
    ORDER BY e.at DESC, e.id DESC LIMIT 1
) set_to
CROSS JOIN LATERAL jsonb_array_elements_text(set_to.after -> 'group_ids') AS named (group_id)
WHERE p.visibility = 'groups' AND NOT EXISTS (
    SELECT 1 FROM publishing_grant g JOIN identity_group i ON i.id = g.group_id
    WHERE g.publication_id = p.core_id AND i.scaikey_id = named.group_id)
"""

# Entries of the audit log that let somebody call what was published already, as far as they say so themselves: it was
# opened to the tenant, or to a group that it did not list; or somebody new came into a group.
WIDENED = Q(action="publication.changed", before__visibility=Visibility.GROUPS) & (
    Q(after__visibility=Visibility.TENANT) | ~Q(before__group_ids__contains=F("after__group_ids"))
)
JOINED = Q(action="group.members_set") & ~Q(before__members__contains=F("after__members"))


class Gain(NamedTuple):
    """What a restriction to some groups would make of a publication: how many may call, and how many of them newly."""

    callers: int
    new: int


@dataclass(frozen=True)
class Reach:
    """Who could call at one moment. `callers` is left empty where everyone may: nobody could be new there."""

    name: str
    is_open: bool
    count: int
    group_ids: tuple[str, ...] = ()
    callers: frozenset[str] = frozenset()

    def __str__(self) -> str:
        whom = "everyone in the tenant" if self.is_open else "its groups"
        return f"{whom}, {self.count} active user{'' if self.count == 1 else 's'}"

    @property
    def audience(self) -> str:
        """Whom it is open to, by name."""
        return "everyone in the tenant" if self.is_open else ", ".join(self.group_ids) or "groups that are gone: nobody"


def measure_reach(publication: Publication | None) -> Reach | None:
    """The reach of `publication` now; None when there is no publication."""
    if publication is None:
        return None
    audience = registry.audience(publication)
    if publication.visibility == Visibility.TENANT:
        return Reach(publication.name, True, audience.count())
    callers = frozenset(audience.values_list("pk", flat=True))
    return Reach(publication.name, False, len(callers), tuple(publication.group_ids), callers)


def question_about(before: Reach | None, after: Reach | None) -> str | None:
    """What to ask before `before` becomes `after`; None unless somebody new could call what is published already."""
    if before is None or after is None or before.is_open:
        return None
    if not after.is_open and after.callers <= before.callers:
        return None
    return f"Access widens: {after.name} is now for {before}; it would be for {after}."


def count_shut_out(before: Reach | None, after: Reach | None) -> int:
    """How many can call before and no more after."""
    if before is None or (after is not None and after.is_open):
        return 0
    if after is None:
        return before.count
    # Where everyone may call, those of the groups are among them.
    return before.count - after.count if before.is_open else len(before.callers - after.callers)


def count_callers(publications: Iterable[Publication], *, without: Group | None = None) -> dict[str, int]:
    """How many may call each of `publications` now, or would if there were no group `without`."""
    wanted, left_out = [publication.pk for publication in publications], without.pk if without else NO_GROUP
    return dict.fromkeys(wanted, 0) | dict(_rows(COUNT, wanted, left_out, left_out, wanted))


def count_gains(publications: Iterable[Publication], groups: Iterable[Group]) -> dict[str, Gain]:
    """What opening each of `publications` to just these groups of its tenant would do."""
    wanted = [publication.pk for publication in publications]
    rows = _rows(COUNT_NEW, wanted, NO_GROUP, NO_GROUP, [group.pk for group in groups], wanted)
    return {pk: Gain(callers, new) for pk, callers, new in rows}


def callable_ids() -> RawSQL:
    """The publications that somebody may call now, for a `pk__in`."""
    return RawSQL(CALLABLE, [])  # noqa: S611  a text of this file


def with_lost_groups() -> RawSQL:
    """The publications that were set to a group which has been deleted since, for a `pk__in`."""
    return RawSQL(f"SELECT core_id FROM ({LOST_GROUPS}) AS lost", [])  # noqa: S608, S611


def find_lost_groups(publications: Collection[Publication]) -> dict[str, list[str]]:
    """The deleted groups that each of `publications` was set to."""
    lost: dict[str, list[str]] = {publication.pk: [] for publication in publications}
    for pk, group_id in _rows(f"{LOST_GROUPS} AND p.core_id = ANY (%s)", list(lost)):
        lost[pk].append(group_id)
    return lost


def _rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())

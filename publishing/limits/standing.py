"""How much of a tenant's limits is used, for the pages and lists that show it. Nothing is taken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from publishing.limits.level import LEVEL
from publishing.models import Each, UsageLimit

USED = f"""
SELECT c.limit_id, c.subject, {LEVEL} AS used
FROM publishing_limitcell c JOIN publishing_usagelimit l ON l.id = c.limit_id
WHERE c.limit_id = ANY (%s)
"""  # noqa: S608  our own text

# The limits that would count a call of one user with any key but limited ones, as `wanted` of the reservation has it.
OF_USER = """
SELECT l.id FROM publishing_usagelimit l
WHERE l.tenant_id = %s AND (l.core_id IS NULL OR %s = '' OR l.core_id = %s) AND (l.user_id IS NULL OR l.user_id = %s)
    AND l.key_id IS NULL AND l.each <> 'key'
    AND (l.group_id IS NULL OR EXISTS (
        WITH RECURSIVE mine (group_id) AS (
            SELECT m.group_id FROM identity_membership m WHERE m.user_id = %s
            UNION
            SELECT n.parent_id FROM identity_nesting n JOIN mine ON n.child_id = mine.group_id
        )
        SELECT 1 FROM mine WHERE mine.group_id = l.group_id))
"""


MODEL: Final = ("core__publication",)


class Standing(NamedTuple):
    """A limit and how much of it is used: by whom most is, where it counts for each."""

    limit: UsageLimit
    used: float
    subject: str

    @property
    def percent(self) -> int:
        """How much of it is used, in percent; more than 100 beyond a soft limit."""
        return int(100 * self.used / float(self.limit.amount))


def standings(limits: Iterable[UsageLimit]) -> list[Standing]:
    """Each of the limits, as far as it is used now; of those that count for each, the one who used most."""
    wanted = list(limits)
    most: dict[str, tuple[float, str]] = {}
    for limit_id, subject, used in _cells([limit.pk for limit in wanted]):
        most[limit_id] = max(most.get(limit_id, (0.0, "")), (float(used), subject))
    return [Standing(limit, *most.get(limit.pk, (0.0, ""))) for limit in wanted]


def standings_of(user: Any, core_id: str = "") -> list[Standing]:
    """The limits that count a call of this Core, or of any, by `user`, as far as that user meets them."""
    with connection.cursor() as cursor:
        cursor.execute(OF_USER, [user.tenant_id, core_id, core_id, user.pk, user.pk])
        ids = [limit_id for (limit_id,) in cursor.fetchall()]
    limits = list(_with_models(ids).order_by("per", "measure", "pk")) if ids else []
    used = {(limit_id, subject): float(level) for limit_id, subject, level in _cells(ids)}
    subjects = {limit.pk: user.pk if limit.each else "" for limit in limits}
    return [Standing(one, used.get((one.pk, subjects[one.pk]), 0.0), subjects[one.pk]) for one in limits]


def standings_of_keys(tenant_id: str, key_ids: Iterable[str]) -> dict[str, list[Standing]]:
    """The limits of each of these keys: its own, and those that count for each key, once it has used any of them."""
    wanted = set(key_ids)
    of_keys = Q(key__in=wanted) | Q(each=Each.KEY)
    limits = {one.pk: one for one in UsageLimit.objects.filter(of_keys, tenant=tenant_id).select_related(*MODEL)}
    found: dict[str, list[Standing]] = {key_id: [] for key_id in wanted}
    own = {pk: one for pk, one in limits.items() if one.key_id}
    used = {limit_id: float(level) for limit_id, _, level in _cells(list(own))}
    for one in own.values():
        found[str(one.key_id)].append(Standing(one, used.get(one.pk, 0.0), ""))
    for limit_id, subject, level in _cells([pk for pk in limits if pk not in own]):
        if subject in wanted:
            found[subject].append(Standing(limits[limit_id], float(level), subject))
    return found


def _with_models(ids: list[str]) -> QuerySet[UsageLimit]:
    return UsageLimit.objects.filter(pk__in=ids).select_related(*MODEL)


def _cells(ids: list[str]) -> list[tuple[Any, ...]]:
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(USED, [ids])
        return list(cursor.fetchall())

"""Why somebody may call: the path from a listed group down through nested ones to the user.

This explains the decision and never makes it: who may call is read from the view `publishing_access` alone.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from django.db import connection
from django.db.models import QuerySet

from identity import groups
from identity.models import Group, Membership, Nesting, User
from publishing.models import Grant, Publication

# Every group that opens the model: those it lists, and what is nested in them at any depth.
OPENING = """
WITH RECURSIVE opening (group_id) AS (
    SELECT group_id FROM publishing_grant WHERE publication_id = %s
    UNION
    SELECT n.child_id FROM identity_nesting n JOIN opening ON n.parent_id = opening.group_id
)
SELECT group_id FROM opening
"""


def paths_to(publication: Publication, users: Iterable[User]) -> dict[str, list[Group]]:
    """For each of `users` who is in a listed group: the shortest path, the listed group first, the user's own last."""
    opening = _opening(publication)
    chains = _chains(publication, opening)
    direct = Membership.objects.filter(group__in=opening, user__in=[user.pk for user in users])
    paths: dict[str, list[Group]] = {}
    for user_id, group_id in direct.order_by("pk").values_list("user_id", "group_id"):
        chain = chains[group_id]
        if user_id not in paths or len(chain) < len(paths[user_id]):
            paths[user_id] = chain
    return paths


def paths_of(user: User, publications: Iterable[Publication]) -> dict[str, list[Group]]:
    """For each of `publications` that lists a group of `user`'s: the shortest path, in the same order."""
    chains = groups.groups_of(user)
    granted = Grant.objects.filter(publication__in=[one.pk for one in publications], group__in=chains).order_by("pk")
    paths: dict[str, list[Group]] = {}
    for publication_id, group_id in granted.values_list("publication_id", "group_id"):
        chain = chains[group_id]
        if publication_id not in paths or len(chain) < len(paths[publication_id]):
            paths[publication_id] = list(reversed(chain))
    return paths


def opened_by(group: Group, around: dict[int, list[Group]]) -> QuerySet[Publication]:
    """The publications that list `group` or one that it is nested in, by name, with their grants.

    `around` is what `groups.groups_around` found.
    """
    granted = Grant.objects.filter(group__in=[group.pk, *around]).values("publication")
    return Publication.objects.filter(pk__in=granted).order_by("name").prefetch_related("grants")


def path_upwards(publication: Publication, group: Group, around: dict[int, list[Group]]) -> list[Group]:
    """The shortest way from `group` to one that `publication` lists, the nearest first; empty where it lists it."""
    chains = {group.pk: [], **around}
    return min((chains[grant.group_id] for grant in publication.grants.all() if grant.group_id in chains), key=len)


def _opening(publication: Publication) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(OPENING, [publication.pk])
        return [group_id for (group_id,) in cursor.fetchall()]


def _chains(publication: Publication, opening: list[int]) -> dict[int, list[Group]]:
    """Each opening group with the groups that lead to it. Breadth first, so that the first path is a shortest one."""
    groups = Group.objects.in_bulk(opening)
    inside: dict[int, list[int]] = defaultdict(list)
    nested = Nesting.objects.filter(parent__in=opening, child__in=opening).order_by("pk")
    for parent_id, child_id in nested.values_list("parent_id", "child_id"):
        inside[parent_id].append(child_id)
    listed = publication.grants.order_by("pk").values_list("group_id", flat=True)
    chains = {group_id: [groups[group_id]] for group_id in listed if group_id in groups}
    coming = deque(chains)
    while coming:
        parent_id = coming.popleft()
        for child_id in inside[parent_id]:
            if child_id not in chains:
                chains[child_id] = [*chains[parent_id], groups[child_id]]
                coming.append(child_id)
    return chains

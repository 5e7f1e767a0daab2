"""ScaiKey groups: made, filled and removed, each by one function that REST, pages, admin and commands all call."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from identity import audit, validation
from identity.actors import Actor
from identity.errors import Conflict, Invalid, NotFound, Problem
from identity.models import Door, Group, Membership, Nesting, Tenant, User

NESTED = "group:"


@transaction.atomic
def save_group(group: Group, *, actor: Actor, at: datetime) -> bool:
    """Store a new or renamed group; returns whether anything changed. Its id and tenant never change."""
    actor.must_manage(group.tenant_id)
    before = Group.objects.select_for_update(no_key=True).filter(pk=group.pk).first() if group.pk else None
    if before and before.name == group.name:
        return False
    validation.store(group, update_fields=["name"] if before else None)
    _record("group.saved", group, actor, at, {"name": before.name} if before else None, {"name": group.name})
    return True


@transaction.atomic
def set_members(group: Group, *, users: Iterable[User], groups: Iterable[Group], actor: Actor, at: datetime) -> bool:
    """Make the direct members exactly these; returns whether anything changed."""
    actor.must_manage(group.tenant_id)
    Tenant.objects.select_for_update(no_key=True).get(pk=group.tenant_id)
    before = members(group)
    wanted_users, wanted_groups = list(users), list(groups)
    _must_share_tenant(group, [*wanted_users, *wanted_groups])
    if actor.door != Door.COMMAND:
        # A file sets one group after another: one that turns a nesting round passes a circle, which harms nobody.
        _must_not_close_a_circle(group, wanted_groups)
    Membership.objects.filter(group=group).exclude(user__in=wanted_users).delete()
    Nesting.objects.filter(parent=group).exclude(child__in=wanted_groups).delete()
    _add_members(group, wanted_users, wanted_groups)
    after = members(group)
    if before != after:
        _record("group.members_set", group, actor, at, {"members": before}, {"members": after})
    return before != after


@transaction.atomic
def add_members(group: Group, *, users: Iterable[User], groups: Iterable[Group], actor: Actor, at: datetime) -> bool:
    """Add these to the direct members; returns whether anything changed."""
    now_users, now_groups = _lock_members(group, actor)
    wanted = [*now_users, *users], [*now_groups, *groups]
    return set_members(group, users=wanted[0], groups=wanted[1], actor=actor, at=at)


@transaction.atomic
def remove_members(
    group: Group, *, users: Collection[User], groups: Collection[Group], actor: Actor, at: datetime
) -> bool:
    """Take these from the direct members; returns whether anything changed."""
    now_users, now_groups = _lock_members(group, actor)
    left = [one for one in now_users if one not in users], [one for one in now_groups if one not in groups]
    return set_members(group, users=left[0], groups=left[1], actor=actor, at=at)


def find_members(tenant_id: str, names: Sequence[str]) -> tuple[list[User], list[Group]]:
    """The users (by id or e-mail address) and groups (`group:` and an id) of the tenant that a list names."""
    people = User.objects.filter(tenant=tenant_id).filter(Q(pk__in=names) | Q(email__in=map(str.lower, names)))
    ids = [name.removeprefix(NESTED) for name in names if name.startswith(NESTED)]
    nested = list(Group.objects.filter(tenant=tenant_id, scaikey_id__in=ids))
    known = {name for user in people for name in (user.pk, user.email)} | {NESTED + one.scaikey_id for one in nested}
    problems = [
        Problem(f"members.{index}", "The tenant has no such user or group.")
        for index, name in enumerate(names)
        if name not in known and name.lower() not in known
    ]
    if problems:
        raise Invalid("Not every member exists.", problems)
    return list(people), nested


@transaction.atomic
def delete_group(group: Group, *, actor: Actor, at: datetime) -> None:
    """Remove a group. Publications that listed it keep their mode, so this never widens who may call."""
    actor.must_manage(group.tenant_id)
    # The group before its grants: who grants it at this moment takes them in this order too.
    if Group.objects.select_for_update().filter(pk=group.pk).first() is None:
        raise NotFound("The group does not exist.")
    _record("group.deleted", group, actor, at, {"name": group.name, "members": members(group)}, None)
    group.delete()


def members(group: Group) -> list[str]:
    """The direct members as the YAML writes them: e-mail addresses, then `group:` and an id, each sorted."""
    users = Membership.objects.filter(group=group).values_list("user__email", flat=True)
    nested = Nesting.objects.filter(parent=group).values_list("child__scaikey_id", flat=True)
    return sorted(users) + sorted(f"{NESTED}{name}" for name in nested)


def groups_of(user: User) -> dict[int, list[Group]]:
    """Every group that the user is in, with the shortest chain to it: a group of the user's own first, it last."""
    own = user.memberships.order_by("pk").values_list("group_id", flat=True)
    return _named(_chains(_edges(user.tenant_id, upwards=True), own))


def groups_around(group: Group) -> dict[int, list[Group]]:
    """Every group that `group` is nested in, with the shortest chain to it: the nearest first, it last."""
    return _beyond(group, upwards=True)


def groups_inside(group: Group) -> dict[int, list[Group]]:
    """Every group that is nested in `group`, with the shortest chain to it: the nearest first, it last."""
    return _beyond(group, upwards=False)


def everyone_in(group_ids: Iterable[int]) -> QuerySet[User]:
    """Who is directly in any of these groups, by e-mail address."""
    belonging = Membership.objects.filter(group__in=list(group_ids)).values("user")
    return User.objects.filter(pk__in=belonging).order_by("email")


def chains_to(group: Group, nested: dict[int, list[Group]], users: Iterable[User]) -> dict[str, list[Group]]:
    """For each of these members: the groups between `group` and the user, the nearest to it first; none if direct.

    `nested` is what `groups_inside` found.
    """
    ways: dict[str, list[Group]] = {}
    direct = Membership.objects.filter(user__in=list(users), group__in=[group.pk, *nested]).order_by("pk")
    for user_id, group_id in direct.values_list("user_id", "group_id"):
        chain = nested.get(group_id, [])
        if user_id not in ways or len(chain) < len(ways[user_id]):
            ways[user_id] = chain
    return ways


def _beyond(group: Group, *, upwards: bool) -> dict[int, list[Group]]:
    found = _chains(_edges(group.tenant_id, upwards=upwards), [group.pk])
    return _named({other: chain[1:] for other, chain in found.items() if other != group.pk})


def _edges(tenant_id: str, *, upwards: bool) -> dict[int, list[int]]:
    """The groups next to each group of the tenant: those it is nested in, or those nested in it."""
    edges: dict[int, list[int]] = defaultdict(list)
    ends = ("child", "parent") if upwards else ("parent", "child")
    for start, end in Nesting.objects.filter(tenant=tenant_id).order_by("pk").values_list(*ends):
        edges[start].append(end)
    return edges


def _chains(edges: dict[int, list[int]], starts: Iterable[int]) -> dict[int, list[int]]:
    """A shortest chain to everything that is reached. Breadth first, so that the first chain is a shortest one."""
    chains = {start: [start] for start in starts}
    coming = deque(chains)
    while coming:
        here = coming.popleft()
        for following in edges.get(here, ()):
            if following not in chains:
                chains[following] = [*chains[here], following]
                coming.append(following)
    return chains


def _named(chains: dict[int, list[int]]) -> dict[int, list[Group]]:
    groups = Group.objects.in_bulk(chains.keys() | {step for chain in chains.values() for step in chain})
    return {end: [groups[step] for step in chain] for end, chain in chains.items()}


def _add_members(group: Group, users: list[User], groups: list[Group]) -> None:
    memberships = [Membership(tenant_id=group.tenant_id, user=user, group=group) for user in users]
    nestings = [Nesting(tenant_id=group.tenant_id, parent=group, child=child) for child in groups]
    try:
        with transaction.atomic():
            Membership.objects.bulk_create(memberships, ignore_conflicts=True)
            Nesting.objects.bulk_create(nestings, ignore_conflicts=True)
    except IntegrityError:
        raise Conflict("A member was removed at the same time. Look at the group and try again.") from None


def _lock_members(group: Group, actor: Actor) -> tuple[list[User], list[Group]]:
    """The direct members, which nobody else sets until the transaction ends."""
    actor.must_manage(group.tenant_id)
    Tenant.objects.select_for_update(no_key=True).get(pk=group.tenant_id)
    users = User.objects.filter(memberships__group=group)
    return list(users), list(Group.objects.filter(parents__parent=group))


def _must_not_close_a_circle(group: Group, wanted: list[Group]) -> None:
    """Refuse to nest a group in one that is nested in it, at any depth."""
    new = set(wanted) - set(Group.objects.filter(parents__parent=group))
    around = groups_around(group) if new else {}
    problems = [
        Problem("members", f"{one} holds {group} already, so it cannot be nested in it.")
        for one in sorted(new, key=str)
        if one.pk in around
    ]
    if problems:
        raise Invalid("Groups cannot be nested in a circle.", problems)


def _must_share_tenant(group: Group, others: list[User | Group]) -> None:
    strangers = [other for other in others if other.tenant_id != group.tenant_id]
    if strangers:
        raise Invalid(
            "Not every member exists.", [Problem("members", f"{other} does not exist.") for other in strangers]
        )
    if group in others:
        raise Invalid("A group cannot be nested in itself.", [Problem("members", "Leave the group itself out.")])


def _record(action: str, group: Group, actor: Actor, at: datetime, before: audit.Values, after: audit.Values) -> None:
    audit.record(action, group.scaikey_id, tenant=group.tenant_id, actor=actor, at=at, before=before, after=after)

"""The access decision is read in three ways, about one call, for one user and for one publication: all say the same."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity import actors, keys
from identity.models import Group, Membership, Nesting, Tenant, User
from publishing import actions, registry
from publishing.models import Access, Core, Flow, Grant, Publication
from tests.conftest import echo_document
from tests.publishing.test_reach import GROUPS, PAIRS, USERS, people  # noqa: F401  a fixture
from tests.support.staff import tenant_off

OPERATOR = actors.operator("test")
PUBLISHED = range(3)
Pairs = set[tuple[str, str]]


@pytest.fixture
def cores(people: Any, acme: Tenant, echo: Core) -> list[Core]:  # noqa: F811
    """Three Cores, all published, and a key for each user."""
    made = [echo]
    for number in PUBLISHED[1:]:
        flow: Flow = actions.create_flow(
            tenant=acme, name=f"Echo {number}", content=echo_document(), actor=OPERATOR, at=timezone.now()
        )
        made.append(actions.deploy(flow, actor=OPERATOR, at=timezone.now()).core)
    for user in people[0]:
        keys.mint(user=user, name="test", actor=OPERATOR, at=timezone.now())
    return made


def by_the_call() -> Pairs:
    return set(Access.objects.filter(may_call=True).values_list("user_id", "name"))


def by_the_users_list(users: list[User]) -> Pairs:
    return {(user.pk, one.name) for user in users for one in registry.callable_by(user)}


def by_the_keys_list(users: list[User]) -> Pairs:
    found: Pairs = set()
    with connection.cursor() as cursor:
        for user in users:
            cursor.execute(registry.LIST, [user.api_keys.get().pk])
            found |= {(user.pk, name) for _, name, *_ in cursor.fetchall()}
    return found


def by_the_audience() -> Pairs:
    return {(user.pk, one.name) for one in Publication.objects.all() for user in registry.audience(one)}


def agreed(users: list[User]) -> Pairs:
    """What all four say."""
    found = by_the_call()
    assert by_the_users_list(users) == by_the_keys_list(users) == by_the_audience() == found
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    members=st.sets(st.tuples(st.sampled_from(USERS), st.sampled_from(GROUPS)), max_size=8),
    nested=PAIRS,
    granted=st.sets(st.sampled_from(list(product(PUBLISHED, GROUPS))), max_size=5),
    visible=st.tuples(*[st.sampled_from(["groups", "groups", "tenant"])] * len(PUBLISHED)),
    limit=st.none() | st.sets(st.sampled_from(PUBLISHED), min_size=1),
)
def test_a_call_a_list_and_an_audience_agree(
    people: tuple[list[User], list[Group]],  # noqa: F811
    cores: list[Core],
    members: set[Any],
    nested: set[Any],
    granted: set[Any],
    visible: tuple[str, ...],
    limit: set[int] | None,
) -> None:
    users, groups = people
    for model in (Membership, Nesting, Grant):
        model.objects.all().delete()
    Membership.objects.bulk_create(Membership(tenant_id="acme", user=users[u], group=groups[g]) for u, g in members)
    Nesting.objects.bulk_create(
        Nesting(tenant_id="acme", parent=groups[p], child=groups[c]) for p, c in nested if p != c
    )
    for core, visibility in zip(cores, visible, strict=True):
        Publication.objects.filter(pk=core.pk).update(visibility=visibility)
    Grant.objects.bulk_create(Grant(tenant_id="acme", publication_id=cores[n].pk, group=groups[g]) for n, g in granted)
    agreed(users)
    named = None if limit is None else sorted(Publication.objects.get(pk=cores[n].pk).name for n in limit)
    key = users[0].api_keys.get()
    type(key).objects.filter(pk=key.pk).update(models=named)
    within = {(user, name) for user, name in by_the_call() if user == users[0].pk and (named is None or name in named)}
    assert by_the_keys_list(users[:1]) == within
    type(key).objects.filter(pk=key.pk).update(models=None)


def test_where_the_tenant_is_off_or_nothing_is_live_all_say_nobody(
    people: tuple[list[User], list[Group]],  # noqa: F811
    cores: list[Core],
    acme: Tenant,
) -> None:
    users, _ = people
    assert len(agreed(users)) == 3 * len(cores)  # the fourth user is switched off
    Core.objects.filter(pk=cores[0].pk).update(live=None)
    assert len(agreed(users)) == 3 * (len(cores) - 1)
    tenant_off(acme)
    assert agreed(users) == set()

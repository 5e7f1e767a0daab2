"""How many publications reach: read from the groups' end, and the same as the access decision says."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity import actors, groups
from identity.models import Group, Membership, Nesting, Tenant, User
from publishing import actions, reach, registry
from publishing.models import Core, Grant, Publication
from tests.support.staff import tenant_off

USERS, GROUPS = range(4), range(5)
PAIRS = st.sets(st.sampled_from(list(product(GROUPS, GROUPS))), max_size=8)


def says_the_decision() -> set[str]:
    """The callers of the one publication, by the view."""
    return set(registry.audience(Publication.objects.get()).values_list("pk", flat=True))


@pytest.fixture
def people(echo: Core, acme: Tenant) -> tuple[list[User], list[Group]]:
    """Four users, the last switched off, and five groups."""
    User.objects.filter(tenant=acme).delete()
    users = [User.objects.create(email=f"u{n}@acme.test", tenant=acme, is_active=n < 3) for n in USERS]
    return users, [Group.objects.create(tenant=acme, scaikey_id=f"group_{n}") for n in GROUPS]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    members=st.sets(st.tuples(st.sampled_from(USERS), st.sampled_from(GROUPS)), max_size=8),
    nested=PAIRS,
    granted=st.sets(st.sampled_from(GROUPS), max_size=3),
    chosen=st.sets(st.sampled_from(GROUPS), min_size=1, max_size=2),
    visibility=st.sampled_from(["groups", "groups", "tenant"]),
)
def test_the_count_is_the_access_decisions(
    people: tuple[list[User], list[Group]],
    echo: Core,
    members: set[Any],
    nested: set[Any],
    granted: set[int],
    chosen: set[int],
    visibility: str,
) -> None:
    users, all_groups = people
    for model in (Membership, Nesting, Grant):
        model.objects.all().delete()
    Membership.objects.bulk_create(Membership(tenant_id="acme", user=users[u], group=all_groups[g]) for u, g in members)
    Nesting.objects.bulk_create(
        Nesting(tenant_id="acme", parent=all_groups[p], child=all_groups[c]) for p, c in nested if p != c
    )
    Publication.objects.update(visibility=visibility)
    grant(echo, [all_groups[g] for g in granted])
    publication = Publication.objects.get()
    before = says_the_decision()
    assert reach.count_callers([publication]) == {echo.pk: len(before)}
    assert Publication.objects.filter(pk__in=reach.callable_ids()).exists() == bool(before)
    gain = reach.count_gains([publication], [all_groups[g] for g in chosen])[echo.pk]
    Publication.objects.update(visibility="groups")
    grant(echo, [all_groups[g] for g in chosen])
    after = says_the_decision()
    assert gain == (len(after), 0 if visibility == "tenant" else len(after - before))


def grant(core: Core, wanted: list[Group]) -> None:
    Grant.objects.all().delete()
    Grant.objects.bulk_create(Grant(tenant_id="acme", publication_id=core.pk, group=group) for group in wanted)


def test_nobody_calls_in_a_tenant_that_is_switched_off(echo: Core, acme: Tenant) -> None:
    tenant_off(acme)
    assert reach.count_callers([echo.publication]) == {echo.pk: 0}
    assert not Publication.objects.filter(pk__in=reach.callable_ids()).exists()


def test_nobody_calls_a_core_without_a_version(echo: Core) -> None:
    Core.objects.update(live=None)
    assert reach.count_callers([echo.publication]) == {echo.pk: 0}
    assert not Publication.objects.filter(pk__in=reach.callable_ids()).exists()


def test_counting_takes_one_statement_for_any_number(echo: Core, django_assert_num_queries: Any) -> None:
    publication = Publication.objects.get()
    with django_assert_num_queries(1):
        reach.count_callers([publication] * 3)


def test_a_group_that_was_deleted_is_named_until_the_visibility_is_set_again(
    narrow_echo: Core, engineering: Group, acme: Tenant
) -> None:
    operator, at = actors.operator("test"), timezone.now()
    publication = Publication.objects.get()
    assert reach.find_lost_groups([publication]) == {narrow_echo.pk: []}
    groups.delete_group(engineering, actor=operator, at=at)
    assert reach.find_lost_groups([publication]) == {narrow_echo.pk: ["group_acme_eng"]}
    # One made anew under the same id is another: the publication is not open to it.
    Group.objects.create(tenant=acme, scaikey_id="group_acme_eng")
    assert Publication.objects.filter(pk__in=reach.with_lost_groups()).get() == publication
    actions.publish(narrow_echo, group_ids=["group_acme_eng"], actor=operator, at=timezone.now())
    assert reach.find_lost_groups([publication]) == {narrow_echo.pk: []}


def test_a_group_left_out_counts_as_if_it_were_deleted(people: tuple[list[User], list[Group]], echo: Core) -> None:
    users, [outer, inner, *_] = people
    actor, at = actors.operator("test"), timezone.now()
    groups.set_members(inner, users=users[:2], groups=[], actor=actor, at=at)
    groups.set_members(outer, users=users[1:3], groups=[inner], actor=actor, at=at)
    actions.publish(echo, group_ids=[outer.scaikey_id], actor=actor, at=at)
    counted = [reach.count_callers([Publication.objects.get()], without=one)[echo.pk] for one in (None, inner, outer)]
    assert counted == [3, 2, 0]

"""The access decision as the database sees it: one row for each active user and each publication of the tenant."""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from identity import actors
from identity import groups as identity_groups
from identity.models import Group, Tenant, User
from publishing import actions, registry
from publishing.models import Core, CoreVersion, FlowVersion, Grant, Publication
from tests.support import views


def callers(core: Core) -> list[str]:
    return [user.email for user in registry.audience(core.publication)]


def nest(parent: Group, child: Group) -> None:
    actor = actors.operator("test")
    identity_groups.set_members(parent, users=[], groups=[child], actor=actor, at=timezone.now())


def group(tenant: Tenant, scaikey_id: str) -> Group:
    return Group.objects.create(tenant=tenant, scaikey_id=scaikey_id)


def show_to(core: Core, *groups: Group) -> None:
    ids = [one.scaikey_id for one in groups]
    actions.publish(core, group_ids=ids, actor=actors.operator("test"), at=timezone.now())


@pytest.mark.django_db
def test_the_decision_that_the_registry_shows_is_the_one_that_the_database_makes() -> None:
    assert views.written(registry.ACCESS) == views.migrated("publishing_access")


def test_no_groups_opens_a_model_to_the_whole_tenant_only(echo: Core, ann: User, bo: User, cy: User) -> None:
    assert callers(echo) == ["ann@acme.test", "bo@acme.test", "root@acme.test"]


def test_a_listed_group_opens_a_model_to_its_members_alone(narrow_echo: Core, bo: User, root: User) -> None:
    assert callers(narrow_echo) == ["ann@acme.test"]


def test_membership_counts_through_any_number_of_nested_groups(
    echo: Core, acme: Tenant, engineering: Group, bo: User
) -> None:
    chain = [engineering, *(group(acme, f"group_{level}") for level in range(20))]
    for child, parent in pairwise(chain):
        nest(parent, child)
    show_to(echo, chain[-1])
    assert callers(echo) == ["ann@acme.test"]


def test_membership_does_not_count_upwards(echo: Core, acme: Tenant, engineering: Group) -> None:
    inner = group(acme, "group_inner")
    nest(engineering, inner)
    show_to(echo, inner)
    assert callers(echo) == []


def test_groups_nested_in_a_ring_end(echo: Core, acme: Tenant, ann: User, bo: User) -> None:
    first, second, third = (group(acme, f"group_{number}") for number in range(3))
    actor = actors.operator("test")
    for parent, child, member in ((first, second, ann), (second, third, None), (third, first, None)):
        users = [member] if member else []
        identity_groups.set_members(parent, users=users, groups=[child], actor=actor, at=timezone.now())
    show_to(echo, third)
    assert callers(echo) == ["ann@acme.test"]
    show_to(echo, group(acme, "group_beside_the_ring"))
    assert callers(echo) == []


def test_a_deleted_group_leaves_nobody_and_never_everybody(narrow_echo: Core, engineering: Group) -> None:
    identity_groups.delete_group(engineering, actor=actors.operator("test"), at=timezone.now())
    publication = Publication.objects.get()
    assert (publication.visibility, publication.group_ids) == ("groups", [])
    assert callers(narrow_echo) == []


def test_a_deleted_group_between_two_others_cuts_the_way(echo: Core, acme: Tenant, engineering: Group) -> None:
    middle, outer = group(acme, "group_middle"), group(acme, "group_outer")
    nest(middle, engineering)
    nest(outer, middle)
    show_to(echo, outer)
    identity_groups.delete_group(middle, actor=actors.operator("test"), at=timezone.now())
    assert callers(echo) == []


def test_a_switched_off_user_calls_nothing(echo: Core, ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert callers(echo) == ["root@acme.test"]
    assert registry.access(ann, echo) is None


def test_a_switched_off_tenant_calls_nothing(echo: Core) -> None:
    Tenant.objects.update(is_active=False)
    assert callers(echo) == []


def test_no_role_bypasses_the_list(narrow_echo: Core, root: User) -> None:
    User.objects.filter(pk=root.pk).update(is_superuser=True)
    verdict = registry.access(root, narrow_echo)
    assert verdict is not None
    assert not verdict.may_call


def test_a_model_of_another_tenant_does_not_exist(echo: Core, cy: User) -> None:
    assert registry.access(cy, echo) is None


def test_an_unpublished_core_does_not_exist(echo: Core, ann: User) -> None:
    actions.unpublish(echo, actor=actors.operator("test"), at=timezone.now())
    assert registry.access(ann, echo) is None


def test_leaving_the_group_ends_the_access(narrow_echo: Core, engineering: Group, ann: User) -> None:
    identity_groups.set_members(engineering, users=[], groups=[], actor=actors.operator("test"), at=timezone.now())
    verdict = registry.access(ann, narrow_echo)
    assert verdict is not None
    assert not verdict.may_call


def test_the_database_refuses_a_grant_across_tenants(echo: Core, globex: Tenant) -> None:
    theirs = group(globex, "group_globex")
    for tenant in ("acme", "globex"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Grant.objects.create(tenant_id=tenant, publication=echo.publication, group=theirs)


def test_the_database_refuses_a_publication_in_another_tenant(echo: Core, globex: Tenant) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Publication.objects.filter(core=echo).update(tenant=globex)


def test_the_database_refuses_a_visibility_that_the_decision_does_not_know(echo: Core) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Publication.objects.filter(core=echo).update(visibility="public")


def test_a_saved_version_never_changes(echo: Core) -> None:
    for rows, change in ((FlowVersion.objects, {"content": {}}), (CoreVersion.objects, {"program": {}})):
        with pytest.raises(IntegrityError, match="never changes once written"), transaction.atomic():
            rows.update(**change)


def test_no_statement_changes_a_version_beside_the_orm(echo: Core) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE publishing_coreversion SET manifest = ''")

"""Who can call this, and why: the explanation, compared with the decision that it explains."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from identity import actors, groups
from identity.models import Group, Tenant, User
from publishing import group_paths, registry
from publishing.models import Core
from tests.support.browsing import page_of
from webui.views import access as views_access


@pytest.fixture
def nested(acme: Tenant, narrow_echo: Core, engineering: Group, bo: User) -> Group:
    """Bo is in a group in a group in Engineering; the groups also form a ring."""
    outer = Group.objects.create(tenant=acme, scaikey_id="group_acme_outer")
    inner = Group.objects.create(tenant=acme, scaikey_id="group_acme_inner")
    actor, at = actors.operator("test"), timezone.now()
    groups.set_members(inner, users=[bo], groups=[engineering], actor=actor, at=at)
    groups.set_members(outer, users=[], groups=[inner], actor=actor, at=at)
    users = User.objects.filter(email="ann@acme.test")
    groups.set_members(engineering, users=users, groups=[outer], actor=actor, at=at)
    return inner


def test_the_way_leads_from_the_listed_group_to_the_users_own(
    client: Client, root: User, bo: User, ann: User, narrow_echo: Core, nested: Group
) -> None:
    found = group_paths.paths_to(narrow_echo.publication, [ann, bo, root])
    told = {user: [group.scaikey_id for group in way] for user, way in found.items()}
    assert told == {
        ann.pk: ["group_acme_eng"],
        bo.pk: ["group_acme_eng", "group_acme_outer", "group_acme_inner"],
    }
    client.force_login(root)
    page = page_of(client.get(f"/models/{narrow_echo.pk}/access/"))
    assert "group_acme_inner" in page
    assert "bo@acme.test" in page


def test_who_has_a_way_is_exactly_who_the_decision_lets_in(
    root: User, ann: User, bo: User, cy: User, narrow_echo: Core, nested: Group
) -> None:
    cast = [root, ann, bo, cy]
    decided = {user.pk for user in registry.audience(narrow_echo.publication)}
    assert set(group_paths.paths_to(narrow_echo.publication, cast)) == decided
    for user in cast:
        access = registry.access(user, narrow_echo)
        told = views_access.explain_access(narrow_echo.publication, user.email).may_call
        assert told == bool(access and access.may_call) == (user.pk in decided)


@pytest.mark.parametrize(
    "email, verdict, reason",
    [
        ("ANN@acme.test", "May call", "A member of a listed group"),
        ("bo@acme.test", "May not call", "In none of the groups it is open to (group_acme_eng)"),
        ("root@acme.test", "May not call", "In none of the groups"),
        ("cy@globex.test", "May not call", "Nobody of this tenant has this address."),
    ],
)
def test_test_as_user_says_yes_or_no_and_why(
    client: Client, root: User, bo: User, cy: User, narrow_echo: Core, email: str, verdict: str, reason: str
) -> None:
    client.force_login(root)
    page = page_of(client.get(f"/models/{narrow_echo.pk}/access/", {"user": email}))
    assert f">{verdict}</span>" in page
    assert reason in page


def test_a_switched_off_user_may_not_though_a_group_lists_them(ann: User, narrow_echo: Core) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=False)
    told = views_access.explain_access(narrow_echo.publication, ann.email)
    assert (told.may_call, told.why) == (False, "The account is switched off: all of its keys answer 401.")


def test_a_model_without_a_surviving_group_says_that_nobody_can_call_it(
    client: Client, root: User, narrow_echo: Core, engineering: Group
) -> None:
    groups.delete_group(engineering, actor=actors.operator("test"), at=timezone.now())
    client.force_login(root)
    assert "<strong>Nobody can call this</strong>" in page_of(client.get(f"/models/{narrow_echo.pk}/access/"))


def test_the_audience_is_searched(client: Client, root: User, ann: User, bo: User, echo: Core) -> None:
    client.force_login(root)
    page = page_of(client.get(f"/models/{echo.pk}/access/?q=ANN@"))
    assert ">ann@acme.test</span>" in page
    assert ">bo@acme.test</span>" not in page


def test_only_tenant_admins_see_the_audience(client: Client, ann: User, cy: User, narrow_echo: Core) -> None:
    url = f"/models/{narrow_echo.pk}/access/"
    assert client.get(url).status_code == 302
    client.force_login(ann)
    assert client.get(url).status_code == 403
    client.force_login(cy)
    assert client.get(url).status_code == 404

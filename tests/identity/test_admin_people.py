"""What the page of a user and the page of a group show beneath the form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from identity import actors, groups, keys
from identity.models import ApiKey, Group, Tenant, User
from tests.support.staff import choose, confirm, page, signed_in

USERS = "/admin/identity/user/"
GROUPS = "/admin/identity/group/"
KEYS = "/admin/identity/apikey/"


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


def section(client: Client, url: str, name: str) -> list[tuple[str, ...]]:
    """The cells of one table of the page."""
    found = {one.name: one for one in client.get(url).context["sections"]}
    return [tuple(str(cell) for cell in row) for row in found[name].rows]


def put(group: Group, *, users: list[User] = [], inside: list[Group] = []) -> Group:  # noqa: B006
    groups.set_members(group, users=users, groups=inside, actor=actors.operator("test"), at=timezone.now())
    return group


@pytest.fixture
def everybody(acme: Tenant, engineering: Group) -> Group:
    """A group that holds a group that holds Ann's."""
    product = put(Group.objects.create(tenant=acme, scaikey_id="group_product"), inside=[engineering])
    return put(Group.objects.create(tenant=acme, scaikey_id="group_everybody"), inside=[product])


def test_a_user_is_shown_with_the_groups_direct_and_nested(staff: Client, ann: User, everybody: Group) -> None:
    shown = [(row[0].split(">")[1], row[2]) for row in section(staff, page(USERS, ann), "groups")]
    assert shown == [
        ("group_acme_eng</a", "directly"),
        ("group_product</a", "group_acme_eng"),
        ("group_everybody</a", "group_acme_eng › group_product"),
    ]


def test_a_user_of_no_group_is_shown_as_such(staff: Client, bo: User, everybody: Group) -> None:
    assert "In no group." in staff.get(page(USERS, bo)).content.decode()


def test_a_new_users_page_has_no_tables(staff: Client) -> None:
    assert staff.get(f"{USERS}add/").context["sections"] == []


def test_a_user_is_shown_with_the_keys_and_what_they_open(
    staff: Client, ann: User, key_of: Callable[[User], str]
) -> None:
    secret = key_of(ann)
    ApiKey.objects.update(models=["scaicore/acme/a"])
    [row] = section(staff, page(USERS, ann), "keys")
    assert secret[:10] in row[0]
    assert row[2:6] == ("scaicore/acme/a", "never", "never", "live")
    assert secret[:14] not in staff.get(page(USERS, ann)).content.decode()


def test_a_key_is_revoked_from_the_page_of_its_user(staff: Client, ann: User, key_of: Callable[[User], str]) -> None:
    secret, url = key_of(ann), page(USERS, ann)
    [row] = section(staff, url, "keys")
    assert f'action="{KEYS}"' in row[-1]
    preview = choose(staff, KEYS, "revoke", [ApiKey.objects.get()], back=url)
    answer = confirm(staff, KEYS, preview)
    assert answer.redirect_chain == [(url, 302)]  # type: ignore[attr-defined]
    assert keys.find(secret) is None
    assert section(staff, url, "keys") == []


def test_a_group_is_shown_with_all_its_members_and_their_ways(staff: Client, everybody: Group, bo: User) -> None:
    put(everybody, users=[bo], inside=[Group.objects.get(scaikey_id="group_product")])
    rows = section(staff, page(GROUPS, everybody), "members")
    assert [(row[0].split(">")[1], row[4]) for row in rows] == [
        ("ann@acme.test</a", "group_acme_eng › group_product"),
        ("bo@acme.test</a", "directly"),
    ]


def test_a_group_is_shown_with_its_nesting_both_ways(staff: Client, engineering: Group, everybody: Group) -> None:
    assert [row[2] for row in section(staff, page(GROUPS, everybody), "inside")] == ["directly", "group_product"]
    assert [row[2] for row in section(staff, page(GROUPS, engineering), "around")] == ["directly", "group_product"]
    assert section(staff, page(GROUPS, engineering), "inside") == []


def test_groups_nested_in_a_ring_are_shown_once(staff: Client, engineering: Group, everybody: Group, ann: User) -> None:
    put(engineering, users=[ann], inside=[everybody])
    assert len(section(staff, page(GROUPS, engineering), "inside")) == 2
    assert len(section(staff, page(USERS, ann), "groups")) == 3


def test_members_come_in_pages(staff: Client, engineering: Group, acme: Tenant) -> None:
    many = [User(email=f"u{n:02}@acme.test", tenant=acme, password="!") for n in range(30)]
    put(engineering, users=User.objects.bulk_create(many))
    assert len(section(staff, page(GROUPS, engineering), "members")) == 25
    assert len(section(staff, f"{page(GROUPS, engineering)}?members=2", "members")) == 5
    assert len(section(staff, f"{page(GROUPS, engineering)}?members=x", "members")) == 25

"""The audit log in the admin: an entry is found by whom and what it concerns, links there, and shows what changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from identity import actors, groups, keys, users
from identity.models import ApiKey, AuditEntry, Group, User
from tests.support.staff import page, signed_in, superuser

AUDIT = "/admin/identity/auditentry/"


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


def found(client: Client, query: str) -> list[str]:
    """The actions of the entries on the list's first page, the newest first."""
    answer = client.get(f"{AUDIT}?{query}")
    assert answer.status_code == 200
    return [entry.action for entry in answer.context["cl"].result_list]


def by(email: str) -> actors.Actor:
    return actors.Actor(email, User.objects.get(email=email).pk, None, "api")


@pytest.fixture
def story(root: User, ann: User, bo: User, engineering: Group, key_of: Callable[[User], str]) -> None:
    """Bo joins the engineers, Ann is renamed by Bo, and Ann has a key, which Root revokes."""
    at = timezone.now()
    groups.set_members(engineering, users=[ann, bo], groups=[], actor=actors.staff_actor_of(root), at=at)
    ann.name = "Ann Ek"
    users.save_user(ann, actor=by(bo.email), at=at)
    key_of(ann)
    keys.revoke(ApiKey.objects.get(), actor=actors.staff_actor_of(root), at=at)


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        # As actor and as the one concerned: directly, by a key, as a member.
        ("q=bo@acme", ["user.saved", "group.members_set"]),
        ("q=bo@acme.test", ["user.saved", "group.members_set"]),
        ("q=Ann+Ek", ["key.revoked", "key.minted", "user.saved", "group.members_set", "group.members_set"]),
        ("q=ann@acme.test", ["key.revoked", "key.minted", "user.saved", "group.members_set", "group.members_set"]),
        # By the group's name and id, by the start of an action.
        ("q=Engineering", ["group.members_set", "group.members_set"]),
        ("q=group_acme_eng", ["group.members_set", "group.members_set"]),
        ("q=key.", ["key.revoked", "key.minted"]),
        ("q=nothing+of+the+kind", []),
        ("q=%00", ["key.revoked", "key.minted", "user.saved", "group.members_set", "group.members_set"]),
    ],
)
def test_an_entry_is_found_by_whom_and_what_it_concerns(
    staff: Client, story: None, query: str, actions: list[str]
) -> None:
    assert sorted(found(staff, query)) == sorted(actions)


def test_entries_about_somebody_who_is_gone_are_found_by_the_address(staff: Client, story: None) -> None:
    User.objects.get(email="bo@acme.test").delete()
    assert set(found(staff, "q=bo@acme.test")) == {"user.saved", "group.members_set"}


def test_entries_are_narrowed_by_actor_action_and_door(staff: Client, story: None) -> None:
    assert found(staff, "by=bo@") == ["user.saved"]
    assert found(staff, "action=key.revoked") == ["key.revoked"]
    assert set(found(staff, "door=admin")) == {"key.revoked", "group.members_set"}
    assert found(staff, "by=root@acme.test&door=page") == ["group.members_set"]


def test_the_actor_that_is_typed_keeps_the_other_filters(staff: Client, story: None) -> None:
    text = staff.get(f"{AUDIT}?door=admin&by=root").content.decode()
    assert '<input type="hidden" name="door" value="admin">' in text
    assert 'name="by" value="root"' in text


def test_nothing_of_another_tenant_is_found(staff: Client, story: None, cy: User) -> None:
    cy.name = "Ann Ek"
    users.save_user(cy, actor=actors.operator("test"), at=timezone.now())
    assert found(staff, "q=cy@globex.test") == []
    assert len(found(staff, "q=Ann+Ek")) == 5
    assert found(signed_in(superuser()), "q=cy@globex.test") == ["user.saved"]


def test_an_entry_links_to_what_it_is_about_and_to_its_actor(staff: Client, story: None, ann: User, bo: User) -> None:
    text = staff.get(f"{AUDIT}?action=user.saved").content.decode()
    assert f'<a href="{page("/admin/identity/user/", ann)}">ann@acme.test</a>' in text
    assert f'<a href="{page("/admin/identity/user/", bo)}">bo@acme.test</a>' in text
    assert (
        f'/admin/identity/apikey/{ApiKey.objects.get().pk.replace("_", "_5F")}/change/">test ('
        in staff.get(f"{AUDIT}?action=key.minted").content.decode()
    )


def test_what_is_gone_is_called_by_its_last_name(staff: Client, story: None, ann: User) -> None:
    user_id = ann.pk
    users.delete_user(ann, actor=actors.operator("test"), at=timezone.now())
    assert f"Ann Ek ({user_id})" in staff.get(f"{AUDIT}?action=user.deleted").content.decode()


def test_a_change_is_shown_as_what_differs(staff: Client, story: None) -> None:
    text = staff.get(AUDIT).content.decode()
    assert "name: — → Ann Ek" in text
    assert "members: + bo@acme.test" in text


def test_an_entrys_page_shows_every_value_before_and_after(staff: Client, story: None) -> None:
    entry = AuditEntry.objects.get(action="user.saved")
    text = staff.get(f"{AUDIT}{entry.pk}/change/").content.decode()
    assert '<tr class="differs"><th scope="row">name</th><td>—</td><td>Ann Ek</td></tr>' in text
    assert '<tr class=""><th scope="row">email</th><td>ann@acme.test</td><td>ann@acme.test</td></tr>' in text

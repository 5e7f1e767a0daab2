"""`/api/v1/groups` as far as it changes groups, and `/api/v1/groups/{id}/members`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from identity.models import AuditEntry, Group, Tenant, User
from publishing import registry
from publishing.models import Core
from tests.support.api_calls import Rest, error

GROUPS = "/api/v1/groups"
MEMBERS = f"{GROUPS}/group_acme_eng/members"


@pytest.fixture
def operations(acme: Tenant) -> Group:
    return Group.objects.create(tenant=acme, scaikey_id="group_acme_ops", name="Operations")


def members(response: Any) -> dict[str, list[str]]:
    """Everybody in the group with the way to them."""
    assert response.status_code == 200, response.content
    return {user["email"]: user["path"] for user in json.loads(response.content)["items"]}


def test_an_admin_makes_and_renames_a_group(as_root: Rest, acme: Tenant) -> None:
    made = as_root.post(GROUPS, {"id": "group_acme_new", "name": "New"})
    assert (made.status_code, json.loads(made.content)["user_count"]) == (201, 0)
    renamed = as_root.send("PATCH", f"{GROUPS}/group_acme_new", {"name": "Newer"})
    assert json.loads(renamed.content)["name"] == "Newer"
    assert AuditEntry.objects.filter(action="group.saved", target="group_acme_new", tenant="acme").count() == 2


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": "a b"}, {"id": 7}, {"id": "group_acme_eng"}])
def test_a_group_that_cannot_be_is_not_made(as_root: Rest, engineering: Group, body: Any) -> None:
    assert error(as_root.post(GROUPS, body)) == (422, "validation_error")
    assert Group.objects.count() == 1


def test_members_are_listed_with_the_way_to_them(
    as_root: Rest, engineering: Group, operations: Group, ann: User, bo: User
) -> None:
    as_root.put(f"{GROUPS}/group_acme_ops/members", {"members": [bo.pk]})
    found = as_root.post(MEMBERS, {"members": ["group:group_acme_ops"]})
    assert members(found) == {"ann@acme.test": [], "bo@acme.test": ["group_acme_ops"]}
    [nested] = json.loads(found.content)["groups"]
    assert (nested["id"], nested["direct"]) == ("group_acme_ops", True)


def test_members_page(as_root: Rest, engineering: Group, bo: User) -> None:
    as_root.post(MEMBERS, {"members": ["bo@acme.test"]})
    first = json.loads(as_root.get(f"{MEMBERS}?limit=1").content)
    assert [user["email"] for user in first["items"]] == ["ann@acme.test"]
    assert members(as_root.get(f"{MEMBERS}?limit=1&cursor={first['next_cursor']}")) == {"bo@acme.test": []}


def test_a_list_that_is_put_replaces_the_members(as_root: Rest, engineering: Group, bo: User) -> None:
    assert members(as_root.put(MEMBERS, {"members": ["bo@acme.test"]})) == {"bo@acme.test": []}
    assert members(as_root.put(MEMBERS, {"members": []})) == {}


def test_who_is_taken_out_may_not_call_any_more(as_root: Rest, ann: User, narrow_echo: Core) -> None:
    assert registry.callable_by(ann).exists()
    assert as_root.delete(f"{MEMBERS}/ann@acme.test").status_code == 204
    assert not registry.callable_by(ann).exists()


@pytest.mark.parametrize("body", [{}, {"members": "ann@acme.test"}, {"members": [7]}, {"members": None}])
def test_a_list_that_is_none_changes_nothing(as_root: Rest, engineering: Group, body: Any) -> None:
    assert error(as_root.put(MEMBERS, body)) == (422, "validation_error")
    assert members(as_root.get(MEMBERS)) == {"ann@acme.test": []}


@pytest.mark.parametrize("name", ["cy@globex.test", "nobody@acme.test", "group:group_none", "", "group:"])
def test_members_whom_the_tenant_does_not_have_are_refused(
    as_root: Rest, engineering: Group, cy: User, bo: User, name: str
) -> None:
    refused = as_root.post(MEMBERS, {"members": ["bo@acme.test", name]})
    assert error(refused) == (422, "validation_error")
    assert members(as_root.get(MEMBERS)) == {"ann@acme.test": []}


def test_groups_are_not_nested_in_a_circle(as_root: Rest, engineering: Group, operations: Group) -> None:
    assert as_root.post(MEMBERS, {"members": ["group:group_acme_ops"]}).status_code == 200
    back = as_root.post(f"{GROUPS}/group_acme_ops/members", {"members": ["group:group_acme_eng"]})
    assert error(back) == (422, "validation_error")
    assert error(as_root.post(MEMBERS, {"members": ["group:group_acme_eng"]})) == (422, "validation_error")


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_nobody_but_an_admin_sees_or_changes_members(as_ann: Rest, engineering: Group, method: str) -> None:
    assert error(as_ann.send(method, MEMBERS, {"members": []})) == (403, "authz_permission_denied")


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_members_of_a_foreign_group_read_like_none(as_cy: Rest, engineering: Group, method: str) -> None:
    there = as_cy.send(method, MEMBERS, {"members": []})
    assert error(there) == (404, "not_found")
    assert there.content == as_cy.send(method, f"{GROUPS}/none/members", {"members": []}).content
    assert engineering.memberships.count() == 1

"""`/api/v1/users`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity.models import AuditEntry, Group, Nesting, Role, Tenant, User
from publishing.models import Core
from tests.support.api_calls import Rest, error

USERS = "/api/v1/users"


def read(response: Any) -> Any:
    assert response.status_code in (200, 201), response.content
    return json.loads(response.content)


def emails(response: Any) -> list[str]:
    return [user["email"] for user in read(response)["items"]]


def test_an_admin_lists_and_searches_the_people_of_the_tenant(as_root: Rest, ann: User, bo: User, cy: User) -> None:
    assert emails(as_root.get(USERS)) == ["ann@acme.test", "bo@acme.test", "root@acme.test"]
    assert emails(as_root.get(f"{USERS}?search=ANN")) == ["ann@acme.test"]
    assert emails(as_root.get(f"{USERS}?role=tenant_admin")) == ["root@acme.test"]
    assert emails(as_root.get(f"{USERS}?active=false")) == []


def test_pages_follow_one_another_without_a_gap(as_root: Rest, ann: User, bo: User) -> None:
    first = read(as_root.get(f"{USERS}?limit=2"))
    rest = as_root.get(f"{USERS}?limit=2&cursor={first['next_cursor']}")
    assert emails(rest) == ["root@acme.test"]
    assert read(rest)["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["%", "AA", "IA"])
def test_a_cursor_that_nobody_gave_is_refused(as_root: Rest, cursor: str) -> None:
    assert error(as_root.get(f"{USERS}?cursor={cursor}")) == (422, "validation_error")


def test_a_longer_list_takes_no_more_statements(as_root: Rest, acme: Tenant) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as sent:
            as_root.get(USERS)
        return len(sent)

    count()
    few = count()
    User.objects.bulk_create(User(email=f"u{number}@acme.test", tenant=acme) for number in range(30))
    assert count() == few


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_but_an_admin_sees_or_adds_people(as_ann: Rest, method: str) -> None:
    assert error(as_ann.send(method, USERS, {"email": "new@acme.test"})) == (403, "authz_permission_denied")


def test_people_of_another_tenant_read_like_none(as_cy: Rest, ann: User) -> None:
    for method, url in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/models")]:
        there = as_cy.send(method, f"{USERS}/{ann.pk}{url}", {"active": False} if method == "PATCH" else b"")
        nowhere = as_cy.send(method, f"{USERS}/user_none{url}", {"active": False} if method == "PATCH" else b"")
        assert error(there) == (404, "not_found")
        assert there.content == nowhere.content
    ann.refresh_from_db()
    assert ann.is_active


def test_an_added_person_has_no_password_and_stands_in_the_audit_log(as_root: Rest, root: User) -> None:
    added = read(as_root.post(USERS, {"email": "New@Acme.test", "name": "Nina"}))
    assert (added["email"], added["role"], added["active"]) == ("new@acme.test", "tenant_user", True)
    user = User.objects.get(pk=added["id"])
    assert not user.has_usable_password()
    assert not user.is_staff
    assert AuditEntry.objects.filter(action="user.saved", target=user.pk, actor_id=root.pk, door="api").count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "nobody"},
        {"email": 7},
        {"email": "ann@acme.test"},
        {"email": "cy@globex.test"},
        {"email": "new@acme.test", "role": "superuser"},
    ],
)
def test_a_person_who_cannot_be_is_not_added(as_root: Rest, ann: User, cy: User, body: Any) -> None:
    before = User.objects.count()
    assert error(as_root.post(USERS, body)) == (422, "validation_error")
    assert User.objects.count() == before


def test_a_taken_address_reads_the_same_wherever_it_is_taken(as_root: Rest, ann: User, cy: User) -> None:
    here, there = (as_root.post(USERS, {"email": user.email}) for user in (ann, cy))
    assert here.content == there.content


def test_a_person_who_is_switched_off_calls_nothing_at_the_next_request(as_root: Rest, as_ann: Rest, ann: User) -> None:
    assert as_ann.get("/api/v1/keys").status_code == 200
    assert read(as_root.send("PATCH", f"{USERS}/{ann.pk}", {"active": False}))["active"] is False
    assert error(as_ann.get("/api/v1/keys")) == (401, "auth_token_invalid")


@pytest.mark.parametrize("body", [{"active": "yes"}, {"active": 1}, {"role": "root"}, {"name": None}])
def test_an_unusable_change_changes_nothing(as_root: Rest, ann: User, body: Any) -> None:
    assert error(as_root.send("PATCH", f"{USERS}/{ann.pk}", body)) == (422, "validation_error")
    assert User.objects.get(pk=ann.pk).role == Role.USER


def test_a_change_never_makes_staff(as_root: Rest, ann: User) -> None:
    as_root.send("PATCH", f"{USERS}/{ann.pk}", {"is_staff": True, "is_superuser": True, "name": "Ann"})
    ann.refresh_from_db()
    assert (ann.name, ann.is_staff, ann.is_superuser) == ("Ann", False, False)


def test_the_last_active_admin_stays_one(as_root: Rest, root: User, ann: User) -> None:
    assert error(as_root.send("PATCH", f"{USERS}/{root.pk}", {"role": "tenant_user"})) == (409, "conflict")
    as_root.send("PATCH", f"{USERS}/{ann.pk}", {"role": "tenant_admin"})
    assert as_root.send("PATCH", f"{USERS}/{root.pk}", {"role": "tenant_user"}).status_code == 200


def test_nobody_switches_off_or_deletes_themselves(as_root: Rest, root: User) -> None:
    assert error(as_root.send("PATCH", f"{USERS}/{root.pk}", {"active": False})) == (422, "validation_error")
    assert error(as_root.delete(f"{USERS}/{root.pk}")) == (422, "validation_error")
    assert as_root.get(USERS).status_code == 200


def test_a_deleted_person_is_gone(as_root: Rest, ann: User) -> None:
    assert as_root.delete(f"{USERS}/{ann.pk}").status_code == 204
    assert error(as_root.get(f"{USERS}/{ann.pk}")) == (404, "not_found")


def test_an_admin_reads_what_a_person_may_call_and_why(
    as_root: Rest, narrow_echo: Core, ann: User, bo: User, engineering: Group, acme: Tenant
) -> None:
    [model] = read(as_root.get(f"{USERS}/{ann.pk}/models"))["items"]
    assert (model["model"], model["visibility"], model["path"]) == (
        "scaicore/acme/echo-agent",
        "groups",
        ["group_acme_eng"],
    )
    assert read(as_root.get(f"{USERS}/{bo.pk}/models"))["items"] == []
    operations = Group.objects.create(tenant=acme, scaikey_id="group_acme_ops")
    Nesting.objects.create(tenant=acme, parent=engineering, child=operations)
    as_root.post("/api/v1/groups/group_acme_ops/members", {"members": ["bo@acme.test"]})
    [model] = read(as_root.get(f"{USERS}/{bo.pk}/models"))["items"]
    assert model["path"] == ["group_acme_ops", "group_acme_eng"]


def test_a_link_for_a_password_is_made_for_people_of_the_tenant(
    as_root: Rest, as_ann: Rest, bo: User, cy: User
) -> None:
    made = as_root.post(f"/api/v1/users/{bo.pk}/invitation", {})
    assert made.status_code == 201
    told = json.loads(made.content)
    assert (set(told), told["mailed"]) == ({"url", "expires_at", "mailed"}, False)
    assert "/invitation/" in told["url"]
    assert as_root.post(f"/api/v1/users/{bo.pk}/invitation", {"mail": True}).status_code == 422
    assert as_root.post(f"/api/v1/users/{cy.pk}/invitation", {}).status_code == 404
    assert as_ann.post(f"/api/v1/users/{bo.pk}/invitation", {}).status_code == 403

"""`/v1/modules/scaicore/cores`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from publishing.models import Core, CoreVersion, Flow
from tests.conftest import echo_document
from tests.support.api_calls import Rest, code, data

CORES = "/v1/modules/scaicore/cores"
SHAPE = {
    "id",
    "slug",
    "name",
    "description",
    "capabilities",
    "driver",
    "remote",
    "instance_mode",
    "entity_scope",
    "version",
    "status",
    "published",
    "published_slug",
    "created_at",
    "updated_at",
}


def new(as_root: Rest, **fields: Any) -> Any:
    return data(as_root.post(CORES, {"name": "Echo", "content": echo_document(), **fields}), 201)


def test_a_core_made_from_a_document_is_live_and_not_published(as_root: Rest) -> None:
    made = new(as_root)
    assert set(made) == SHAPE
    assert (made["slug"], made["version"], made["status"]) == ("echo", 1, "deployed")
    assert (made["published"], made["published_slug"]) == (False, None)


def test_a_slug_that_is_taken_is_refused_not_numbered(as_root: Rest) -> None:
    new(as_root, slug="mine")
    again = as_root.post(CORES, {"name": "Other", "slug": "mine", "content": echo_document()})
    assert code(again) == (409, "SLUG_CONFLICT")


def test_a_slug_that_is_left_out_is_numbered(as_root: Rest) -> None:
    assert [new(as_root)["slug"], new(as_root)["slug"]] == ["echo", "echo-2"]


def test_two_tenants_may_use_one_slug(as_root: Rest, as_cy: Rest) -> None:
    assert new(as_root)["slug"] == new(as_cy)["slug"] == "echo"


@pytest.mark.parametrize("slug", ["Bad Slug", "-a", "a-", "ä", "x" * 64, "", 7, None, ["a"]])
def test_a_slug_that_cannot_stand_in_a_model_name_is_refused(as_root: Rest, slug: object) -> None:
    answer = as_root.post(CORES, {"name": "Echo", "slug": slug, "content": echo_document()})
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert json.loads(answer.content)["error"]["details"][0]["field"] == "slug"


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, 7, None, ["Echo"], True])
def test_a_name_that_is_no_name_is_refused(as_root: Rest, name: object) -> None:
    assert code(as_root.post(CORES, {"name": name, "content": echo_document()})) == (422, "VALIDATION_ERROR")


@pytest.mark.parametrize("content", [None, [], "flow", 7, {}, {"nodes": 3}])
def test_a_document_that_does_not_compile_makes_no_core(as_root: Rest, content: object) -> None:
    answer = as_root.post(CORES, {"name": "Echo", "content": content})
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert json.loads(answer.content)["error"]["details"]
    assert not Core.objects.exists()


def test_the_description_is_the_documents_own_unless_one_is_sent(as_root: Rest) -> None:
    assert new(as_root)["description"] == "Says what it hears."
    assert new(as_root, description="Mine.")["description"] == "Mine."


def test_a_core_is_read_by_every_user_of_its_tenant(as_ann: Rest, echo: Core) -> None:
    read = data(as_ann.get(f"{CORES}/{echo.pk}"))
    assert (read["id"], read["published_slug"], read["version"]) == (echo.pk, "scaicore/acme/echo-agent", 1)
    assert (read["instance_mode"], read["entity_scope"]) == ("stateless", "user")


@pytest.mark.parametrize("path", ["", "/publish", "/versions"])
def test_another_tenants_core_reads_like_none(as_cy: Rest, echo: Core, path: str) -> None:
    there, nowhere = as_cy.get(f"{CORES}/{echo.pk}{path}"), as_cy.get(f"{CORES}/core_none{path}")
    assert code(there) == code(nowhere) == (404, "CORE_NOT_FOUND")
    assert json.loads(there.content)["error"] == json.loads(nowhere.content)["error"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"name": "New"}),
        ("DELETE", "", b""),
        ("POST", "/publish", {}),
        ("DELETE", "/publish", b""),
        ("POST", "/rollback", {"version": 1}),
    ],
)
class TestChanges:
    def test_are_for_admins_of_the_tenant(self, as_ann: Rest, echo: Core, method: str, path: str, body: Any) -> None:
        answer = as_ann.send(method, f"{CORES}/{echo.pk}{path}", body)
        assert code(answer) == (403, "AUTHZ_PERMISSION_DENIED")

    def test_do_not_reach_another_tenant(self, as_cy: Rest, echo: Core, method: str, path: str, body: Any) -> None:
        assert code(as_cy.send(method, f"{CORES}/{echo.pk}{path}", body)) == (404, "CORE_NOT_FOUND")


def test_making_a_core_is_for_admins(as_ann: Rest) -> None:
    answer = as_ann.post(CORES, {"name": "Echo", "content": echo_document()})
    assert code(answer) == (403, "AUTHZ_PERMISSION_DENIED")


def test_a_rename_keeps_the_slug_and_the_version(as_root: Rest, echo: Core) -> None:
    changed = data(as_root.put(f"{CORES}/{echo.pk}", {"name": "Parrot"}))
    assert (changed["name"], changed["slug"], changed["version"]) == ("Parrot", "echo-agent", 1)


def test_a_new_document_makes_a_new_live_version(as_root: Rest) -> None:
    made = new(as_root)
    changed = data(as_root.put(f"{CORES}/{made['id']}", {"content": echo_document()}))
    assert changed["version"] == 2


def test_a_core_that_has_a_flow_takes_its_documents_from_the_flow(as_root: Rest, echo: Core) -> None:
    answer = as_root.put(f"{CORES}/{echo.pk}", {"content": echo_document()})
    assert code(answer) == (422, "VALIDATION_ERROR")


def test_a_slug_never_changes(as_root: Rest, echo: Core) -> None:
    assert code(as_root.put(f"{CORES}/{echo.pk}", {"slug": "parrot"})) == (422, "VALIDATION_ERROR")
    assert data(as_root.put(f"{CORES}/{echo.pk}", {"slug": "echo-agent"}))["slug"] == "echo-agent"


def test_deleting_a_core_leaves_its_flow(as_root: Rest, echo: Core, echo_flow: Flow) -> None:
    answer = as_root.delete(f"{CORES}/{echo.pk}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert code(as_root.get(f"{CORES}/{echo.pk}")) == (404, "CORE_NOT_FOUND")
    assert Flow.objects.filter(pk=echo_flow.pk).exists()


def test_a_list_walks_every_core_of_the_tenant_once(as_root: Rest, as_cy: Rest) -> None:
    new(as_cy)
    made = [new(as_root)["slug"] for _ in range(5)]
    seen: list[str] = []
    url = f"{CORES}?limit=2"
    while url:
        page = data(as_root.get(url))
        seen += [core["slug"] for core in page["items"]]
        url = page["next_cursor"] and f"{CORES}?limit=2&cursor={page['next_cursor']}"
    assert seen == sorted(made)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "limit=", "limit=1.5", "cursor=!", "cursor=AA", "cursor=x", "cursor=w6Q"],
)
@pytest.mark.parametrize("path", ["", "/versions"])
def test_a_page_that_cannot_be_is_refused(as_root: Rest, echo: Core, path: str, query: str) -> None:
    url = f"{CORES}/{echo.pk}{path}" if path else CORES
    answer = as_root.get(f"{url}?{query}")
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert json.loads(answer.content)["error"]["details"][0]["field"] == query.partition("=")[0]


def test_versions_come_newest_first_and_name_the_live_one(as_root: Rest, echo: Core) -> None:
    as_root.post(f"/api/v1/flows/{echo.flow_id}/deploy")
    page = data(as_root.get(f"{CORES}/{echo.pk}/versions?limit=1"))
    assert [(row["version"], row["live"]) for row in page["items"]] == [(2, True)]
    rest = data(as_root.get(f"{CORES}/{echo.pk}/versions?limit=1&cursor={page['next_cursor']}"))
    assert set(rest["items"][0]) == {"version", "flow_version", "created_at", "created_by", "live"}
    assert (rest["items"][0]["version"], rest["items"][0]["live"], rest["next_cursor"]) == (1, False, None)


def test_a_rollback_makes_the_earlier_version_answer(as_root: Rest, echo: Core) -> None:
    as_root.post(f"/api/v1/flows/{echo.flow_id}/deploy")
    assert data(as_root.post(f"{CORES}/{echo.pk}/rollback", {"version": 1}))["version"] == 1
    assert CoreVersion.objects.filter(core=echo).count() == 2


def test_a_rollback_to_a_version_whose_provider_is_gone_changes_nothing(as_root: Rest, echo: Core) -> None:
    old, live = echo.versions.get(number=1), echo.live_id
    old.pk, old.number = None, 2
    old.program["models"] = [{"role": "main", "ref": "gone", "model": "m"}]
    old.save(force_insert=True)
    answer = as_root.post(f"{CORES}/{echo.pk}/rollback", {"version": 2})
    assert answer.status_code == 422
    assert "gone" in answer.json()["error"]["message"]
    echo.refresh_from_db()
    assert echo.live_id == live


@pytest.mark.parametrize("version", [0, -1, 3, 10**30, "1", 1.0, True, None, [1]])
def test_a_rollback_to_no_version_changes_nothing(as_root: Rest, echo: Core, version: object) -> None:
    answer = as_root.post(f"{CORES}/{echo.pk}/rollback", {"version": version})
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert data(as_root.get(f"{CORES}/{echo.pk}"))["version"] == 1


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_trailing_slash_changes_nothing(as_root: Rest, echo: Core, slash: str) -> None:
    assert as_root.get(f"{CORES}{slash}").status_code == 200
    assert as_root.get(f"{CORES}/{echo.pk}{slash}").status_code == 200
    assert as_root.post(f"{CORES}/{echo.pk}/publish{slash}").status_code == 200

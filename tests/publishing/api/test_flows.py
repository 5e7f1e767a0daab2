"""`/api/v1/flows`."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from django.utils import timezone

from identity.models import AuditEntry
from publishing.models import Core, CoreVersion, Entity, Flow, Publication
from tests.conftest import echo_document
from tests.support.api_calls import Rest, code, error

FLOWS = "/api/v1/flows"
SHAPE = {"id", "name", "description", "tags", "version", "content", "owner_id", "created_at", "updated_at"}
DEPLOYED = {
    "flow_id",
    "flow_version",
    "core_id",
    "core_version",
    "slug",
    "published_slug",
    "unpublished_slug",
    "visibility",
    "group_ids",
    "message",
}


def new(as_root: Rest, **fields: Any) -> Any:
    answer = as_root.post(FLOWS, {"name": "Echo", "content": echo_document(), **fields})
    assert answer.status_code == 201, answer.content
    return json.loads(answer.content)


def one(caller: Rest, flow: Flow | str) -> Any:
    return json.loads(caller.get(f"{FLOWS}/{flow.pk if isinstance(flow, Flow) else flow}").content)


def save(caller: Rest, flow: Flow, base: str = "1.0.0", **fields: Any) -> Any:
    return caller.put(f"{FLOWS}/{flow.pk}", {"base_version": base, **fields})


def deploy(caller: Rest, flow: Flow, body: Any = b"") -> Any:
    return caller.post(f"{FLOWS}/{flow.pk}/deploy", body)


def broken_document() -> dict[str, Any]:
    document = echo_document()
    document["nodes"][1]["type"] = "compute_exec"
    return document


def test_a_new_flow_answers_with_what_was_stored(as_root: Rest) -> None:
    made = new(as_root, description="Mine.")
    assert set(made) == SHAPE
    assert (made["name"], made["description"], made["version"]) == ("Echo", "Mine.", "1.0.0")
    assert made["owner_id"].startswith("user_")
    assert made == one(as_root, made["id"])


def test_a_documents_own_id_and_name_give_way_to_the_flows(as_root: Rest) -> None:
    made = new(as_root, content={**echo_document(), "id": "flow_mine"})
    assert made["content"]["id"] == made["id"] != "flow_mine"
    assert made["content"]["name"] == "Echo"


def test_the_description_is_the_documents_own_unless_one_is_sent(as_root: Rest) -> None:
    made = new(as_root)
    assert made["description"] == made["content"]["metadata"]["description"] == "Says what it hears."


def test_a_flow_may_be_kept_that_does_not_compile_yet(as_root: Rest) -> None:
    assert new(as_root, content={})["version"] == "1.0.0"


def test_a_documents_version_is_kept_if_it_is_one(as_root: Rest) -> None:
    assert new(as_root, content={**echo_document(), "version": "2.7.1"})["version"] == "2.7.1"
    assert new(as_root, content={**echo_document(), "version": f"1.0.{'9' * 60}"})["version"] == "1.0.0"


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"content": []}, "content"),
        ({"content": None}, "content"),
        ({"content": "flow"}, "content"),
        ({"description": None}, "description"),
        ({"description": {}}, "description"),
    ],
)
def test_a_field_that_cannot_be_is_named(as_root: Rest, fields: dict[str, Any], at: str) -> None:
    answer = as_root.post(FLOWS, {"name": "Echo", "content": echo_document(), **fields})
    assert error(answer) == (422, "validation_error")
    assert [row["field"] for row in json.loads(answer.content)["detail"]["details"]] == [at]
    assert not Flow.objects.exists()


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"x"', b"{", b"[" * 100_000, b'{"name": "\\ud800"}', b"NaN"])
@pytest.mark.parametrize("path", ["", "/validate", "/compile", "/{id}/deploy"])
def test_a_body_that_is_no_object_is_400(as_root: Rest, echo_flow: Flow, path: str, body: bytes) -> None:
    answer = as_root.post(FLOWS + path.format(id=echo_flow.pk), body, content_type="application/json")
    assert error(answer) == (400, "invalid_json")
    assert not Core.objects.exists()


def test_a_form_is_415_and_a_large_body_413(as_root: Rest) -> None:
    form = as_root.post(FLOWS, b"name=x", content_type="application/x-www-form-urlencoded")
    assert error(form) == (415, "unsupported_media_type")
    large = as_root.post(FLOWS, b"{}", **{"Content-Length": "20000001"})
    assert error(large) == (413, "request_too_large")


def test_a_list_says_how_many_there_are(as_root: Rest, as_cy: Rest) -> None:
    new(as_cy)
    for name in ("c", "a", "b"):
        new(as_root, name=name)
    page = json.loads(as_root.get(f"{FLOWS}?limit=2&offset=1").content)
    assert ([flow["name"] for flow in page["items"]], page["total"]) == (["b", "c"], 3)
    assert set(page["items"][0]) == SHAPE - {"content"}


def test_a_list_tells_of_the_newest_save(as_root: Rest, echo_flow: Flow) -> None:
    save(as_root, echo_flow, content=echo_document())
    [flow] = json.loads(as_root.get(FLOWS).content)["items"]
    assert flow["version"] == "1.0.1"


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "offset=-1", f"offset={10**30}", "offset=x"])
def test_a_page_that_cannot_be_is_refused(as_root: Rest, query: str) -> None:
    assert error(as_root.get(f"{FLOWS}?{query}")) == (422, "validation_error")


def test_every_user_of_the_tenant_reads_flows_but_not_who_may_call(as_root: Rest, as_ann: Rest, acme: Any) -> None:
    made = new(as_root, content=echo_document(model_visibility_group_ids=["group_acme_eng"]))
    assert made["content"]["config"]["model_visibility_group_ids"] == ["group_acme_eng"]
    seen = one(as_ann, made["id"])["content"]
    assert "model_visibility_group_ids" not in seen["config"]
    assert b"group_acme_eng" not in as_ann.get(f"{FLOWS}/{made['id']}/versions/1.0.0").content


@pytest.mark.parametrize("path", ["", "/versions", "/versions/1.0.0", "/deployments"])
def test_another_tenants_flow_reads_like_none(as_cy: Rest, echo_flow: Flow, path: str) -> None:
    there, nowhere = as_cy.get(f"{FLOWS}/{echo_flow.pk}{path}"), as_cy.get(f"{FLOWS}/flow_none{path}")
    assert error(there) == (404, "flow_not_found")
    assert there.content == nowhere.content


CHANGES = [
    ("PUT", "", {"name": "New", "base_version": "1.0.0"}),
    ("PUT", "", {"name": "New"}),
    ("DELETE", "", b""),
    ("POST", "/deploy", b""),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
class TestChanges:
    def test_are_for_admins(self, as_ann: Rest, echo_flow: Flow, method: str, path: str, body: Any) -> None:
        answer = as_ann.send(method, f"{FLOWS}/{echo_flow.pk}{path}", body)
        assert error(answer) == (403, "authz_permission_denied")

    def test_do_not_reach_another_tenant(self, as_cy: Rest, echo_flow: Flow, method: str, path: str, body: Any) -> None:
        assert error(as_cy.send(method, f"{FLOWS}/{echo_flow.pk}{path}", body)) == (404, "flow_not_found")


def test_making_a_flow_is_for_admins(as_ann: Rest) -> None:
    assert error(as_ann.post(FLOWS, {"name": "x", "content": {}})) == (403, "authz_permission_denied")


def test_content_bumps_the_patch_version_and_a_rename_does_not(as_root: Rest, echo_flow: Flow) -> None:
    renamed = save(as_root, echo_flow, name="Parrot", description="New.")
    assert (renamed.json()["name"], renamed.json()["version"], renamed["etag"]) == ("Parrot", "1.0.0", '"1.0.0"')
    saved = save(as_root, echo_flow, content=echo_document())
    assert (saved.json()["name"], saved.json()["version"], saved["etag"]) == ("Parrot", "1.0.1", '"1.0.1"')


def test_a_stale_save_names_the_current_version_and_loses_nothing(as_root: Rest, echo_flow: Flow) -> None:
    save(as_root, echo_flow, content=echo_document(publish_as_model=False))
    stale = save(as_root, echo_flow, content={}, name="Mine")
    assert error(stale) == (409, "stale_save")
    assert stale.json()["detail"]["current_version"] == "1.0.1"
    assert "1.0.1" in stale.json()["detail"]["message"]
    kept = one(as_root, echo_flow)
    assert (kept["name"], kept["version"], kept["content"]["config"]["publish_as_model"]) == (
        "Echo Agent",
        "1.0.1",
        False,
    )


@pytest.mark.parametrize("etag", ['"1.0.0"', "1.0.0", 'W/"1.0.0"', ' "1.0.0" '])
def test_if_match_names_the_base_version_too(as_root: Rest, echo_flow: Flow, etag: str) -> None:
    url = f"{FLOWS}/{echo_flow.pk}"
    assert as_root.put(url, {"content": echo_document()}, **{"If-Match": etag}).status_code == 200
    assert error(as_root.put(url, {"content": {}}, **{"If-Match": etag})) == (409, "stale_save")


@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}, {"If-Match": ""}, {"If-Match": '""'}])
@pytest.mark.parametrize("body", [b"", {"name": "Mine"}])
def test_a_save_that_names_no_base_is_428(as_root: Rest, echo_flow: Flow, headers: Any, body: Any) -> None:
    answer = as_root.put(f"{FLOWS}/{echo_flow.pk}", body, **headers)
    assert error(answer) == (428, "base_version_required")


@pytest.mark.parametrize("base", [None, 1, "", [], {"a": 1}])
def test_a_base_version_that_is_none_is_refused(as_root: Rest, echo_flow: Flow, base: Any) -> None:
    assert save(as_root, echo_flow, base, name="Mine").status_code == 422
    assert one(as_root, echo_flow)["name"] == "Echo Agent"


def test_two_different_bases_in_one_save_are_refused(as_root: Rest, echo_flow: Flow) -> None:
    body = {"base_version": "1.0.0", "name": "Mine"}
    answer = as_root.put(f"{FLOWS}/{echo_flow.pk}", body, **{"If-Match": '"1.0.1"'})
    assert error(answer) == (422, "validation_error")


def test_a_save_is_given_a_name_and_a_note_that_its_list_tells(as_root: Rest, echo_flow: Flow) -> None:
    url = f"{FLOWS}/{echo_flow.pk}/versions"
    assert json.loads(as_root.get(f"{url}/1.0.0").content)["name"] == ""
    told = json.loads(as_root.put(f"{url}/1.0.0", {"name": " First ", "note": "It echoes."}).content)
    assert (told["version"], told["name"], told["note"]) == ("1.0.0", "First", "It echoes.")
    [row] = json.loads(as_root.get(url).content)["items"]
    assert (row["name"], row["note"]) == ("First", "It echoes.")
    as_root.put(f"{url}/1.0.0", {})
    assert json.loads(as_root.get(f"{url}/1.0.0").content)["name"] == ""
    assert AuditEntry.objects.filter(action="flow.version_labelled", target=echo_flow.pk).count() == 2


@pytest.mark.parametrize("body", [{"name": "x" * 81}, {"note": "x" * 2001}, {"name": "a\0b"}, {"name": 7}])
def test_a_name_that_cannot_be_kept_is_refused(as_root: Rest, echo_flow: Flow, body: dict[str, Any]) -> None:
    answer = as_root.put(f"{FLOWS}/{echo_flow.pk}/versions/1.0.0", body)
    assert answer.status_code in (400, 422)


def test_only_admins_of_the_tenant_name_versions(as_ann: Rest, as_cy: Rest, echo_flow: Flow) -> None:
    url = f"{FLOWS}/{echo_flow.pk}/versions/1.0.0"
    assert error(as_ann.put(url, {"name": "Mine"}))[0] == 403
    assert error(as_cy.put(url, {"name": "Mine"})) == (404, "flow_not_found")


def test_earlier_saves_stay_readable_word_for_word(as_root: Rest, echo_flow: Flow) -> None:
    save(as_root, echo_flow, content={})
    page = json.loads(as_root.get(f"{FLOWS}/{echo_flow.pk}/versions").content)
    assert [row["version"] for row in page["items"]] == ["1.0.1", "1.0.0"]
    assert (page["total"], set(page["items"][0])) == (2, {"version", "name", "note", "created_at", "created_by"})
    first = json.loads(as_root.get(f"{FLOWS}/{echo_flow.pk}/versions/1.0.0").content)
    assert (first["version"], first["content"]["nodes"]) == ("1.0.0", echo_document()["nodes"])
    assert error(as_root.get(f"{FLOWS}/{echo_flow.pk}/versions/9.9.9")) == (404, "not_found")


def test_a_deploy_says_what_it_did(as_root: Rest, echo_flow: Flow) -> None:
    done = deploy(as_root, echo_flow).json()
    assert set(done) == DEPLOYED
    assert (done["flow_id"], done["flow_version"], done["core_version"]) == (echo_flow.pk, "1.0.0", 1)
    assert (done["slug"], done["published_slug"], done["unpublished_slug"]) == (
        "echo-agent",
        "scaicore/acme/echo-agent",
        None,
    )
    assert (done["visibility"], done["group_ids"]) == ("tenant", [])
    assert done["message"] == f"Deployed core_id={done['core_id']} — published as scaicore/acme/echo-agent"


def test_a_deploy_that_unpublishes_says_so_once(as_root: Rest, echo: Core, echo_flow: Flow) -> None:
    save(as_root, echo_flow, content=echo_document(publish_as_model=False))
    first, second = deploy(as_root, echo_flow).json(), deploy(as_root, echo_flow).json()
    assert first["message"] == f"Deployed core_id={echo.pk} — unpublished scaicore/acme/echo-agent"
    assert first["unpublished_slug"] == "scaicore/acme/echo-agent"
    assert second["message"] == f"Deployed core_id={echo.pk}"
    assert (second["published_slug"], second["visibility"], second["group_ids"]) == (None, None, [])


def test_a_deploy_names_its_groups(as_root: Rest, echo_flow: Flow, engineering: Any) -> None:
    save(as_root, echo_flow, content=echo_document(model_visibility_group_ids=["group_acme_eng"]))
    done = deploy(as_root, echo_flow).json()
    assert (done["visibility"], done["group_ids"]) == ("groups", ["group_acme_eng"])


@pytest.mark.parametrize("group_ids", [["group_unknown"], ["group_acme_eng", "group_unknown"], [" "], [5], "x", None])
def test_a_deploy_with_bad_groups_leaves_everything_as_it_was(
    as_root: Rest, echo: Core, echo_flow: Flow, engineering: Any, group_ids: Any
) -> None:
    save(as_root, echo_flow, content=echo_document(model_visibility_group_ids=group_ids))
    answer = deploy(as_root, echo_flow)
    assert error(answer) == (422, "validation_error")
    assert answer.json()["detail"]["details"][0]["field"].startswith("group_ids")
    assert CoreVersion.objects.get().core == echo
    assert Publication.objects.get().visibility == "tenant"


def test_a_flow_that_does_not_compile_leaves_the_old_version_live(as_root: Rest, echo: Core, echo_flow: Flow) -> None:
    save(as_root, echo_flow, content=broken_document())
    answer = deploy(as_root, echo_flow)
    assert error(answer) == (400, "compile_error")
    [found] = [row for row in answer.json()["detail"]["diagnostics"] if row["severity"] == "error"]
    assert set(found) == {"severity", "code", "message", "path", "node_id", "edge_id"}
    assert found["node_id"] == "reply"
    echo.refresh_from_db()
    assert echo.live is not None
    assert (echo.live.number, Publication.objects.count()) == (1, 1)


def test_a_deploy_may_insist_on_the_version_that_was_seen(as_root: Rest, echo_flow: Flow) -> None:
    save(as_root, echo_flow, content=echo_document())
    assert error(deploy(as_root, echo_flow, {"base_version": "1.0.0"})) == (409, "stale_save")
    assert deploy(as_root, echo_flow, {"base_version": "1.0.1"}).status_code == 200


def test_deployments_come_newest_first(as_root: Rest, echo: Core, echo_flow: Flow) -> None:
    save(as_root, echo_flow, content=echo_document())
    deploy(as_root, echo_flow)
    page = json.loads(as_root.get(f"{FLOWS}/{echo_flow.pk}/deployments").content)
    assert [(row["core_version"], row["flow_version"], row["live"]) for row in page["items"]] == [
        (2, "1.0.1", True),
        (1, "1.0.0", False),
    ]
    assert page["items"][0]["core_id"] == echo.pk


def test_a_published_flow_is_not_deleted(as_root: Rest, echo: Core, echo_flow: Flow) -> None:
    assert error(as_root.delete(f"{FLOWS}/{echo_flow.pk}")) == (409, "still_published")
    as_root.delete(f"/v1/modules/scaicore/cores/{echo.pk}/publish")
    assert as_root.delete(f"{FLOWS}/{echo_flow.pk}").status_code == 204
    assert error(as_root.get(f"{FLOWS}/{echo_flow.pk}")) == (404, "flow_not_found")


def test_validating_says_what_the_compiler_finds(as_ann: Rest) -> None:
    good = as_ann.post(f"{FLOWS}/validate", {"content": echo_document()})
    assert json.loads(good.content) == {"valid": True, "diagnostics": [], "capabilities": []}
    bad = json.loads(as_ann.post(f"{FLOWS}/validate", {"content": broken_document()}).content)
    assert (bad["valid"], bad["diagnostics"][0]["node_id"]) == (False, "reply")


def test_compiling_gives_a_manifest_with_the_root_key_core(as_ann: Rest) -> None:
    answer = json.loads(as_ann.post(f"{FLOWS}/compile", {"content": echo_document()}).content)
    assert list(yaml.safe_load(answer["manifest"])) == ["core"]
    assert answer["diagnostics"] == []


def test_compiling_gives_the_yaml_itself_when_asked(as_ann: Rest) -> None:
    answer = as_ann.post(f"{FLOWS}/compile?format=yaml", {"content": echo_document()})
    assert answer["content-type"] == "application/yaml"
    assert yaml.safe_load(answer.content)["core"]["name"] == "Echo Agent"


def test_compiling_refuses_what_a_deploy_would(as_ann: Rest) -> None:
    answer = as_ann.post(f"{FLOWS}/compile", {"content": broken_document()})
    assert error(answer) == (400, "compile_error")
    assert json.loads(answer.content)["detail"]["diagnostics"]


@pytest.mark.parametrize("path", ["/validate", "/compile"])
@pytest.mark.parametrize("body", [b"", {}, {"content": None}, {"content": []}, {"content": 7}])
def test_no_document_is_422(as_ann: Rest, path: str, body: Any) -> None:
    assert error(as_ann.post(FLOWS + path, body)) == (422, "validation_error")


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_trailing_slash_changes_nothing(as_root: Rest, echo_flow: Flow, slash: str) -> None:
    assert as_root.get(f"{FLOWS}{slash}").status_code == 200
    assert as_root.get(f"{FLOWS}/{echo_flow.pk}{slash}").status_code == 200
    assert as_root.post(f"{FLOWS}/{echo_flow.pk}/deploy{slash}").status_code == 200


def test_a_deploy_that_would_leave_memories_unread_asks_first(as_root: Rest, echo: Core, echo_flow: Flow) -> None:
    def mode(name: str) -> dict[str, Any]:
        return echo_document(scaiflow_meta={"instance_mode": name})

    save(as_root, echo_flow, content=mode("entity"))
    assert deploy(as_root, echo_flow).status_code == 200
    stamps = {"created_at": timezone.now(), "updated_at": timezone.now()}
    Entity.objects.create(core=echo, partition="entity", owner="u", entity_id="c", turns_committed=1, **stamps)
    save(as_root, echo_flow, "1.0.1", content=mode("stateless"))
    assert error(deploy(as_root, echo_flow)) == (409, "memory_at_stake")
    assert CoreVersion.objects.filter(core=echo).count() == 2
    assert deploy(as_root, echo_flow, {"accept_memory_change": True}).status_code == 200
    assert Entity.objects.filter(core=echo).exists()


def kept(*variables: tuple[str, str]) -> dict[str, Any]:
    """The echo flow with a memory of these variables."""
    declared = [{"name": name, "type": kind} for name, kind in variables]
    return echo_document(scaiflow_meta={"instance_mode": "entity"}) | {"variables": declared}


def remembering(caller: Rest, core: Core, flow: Flow, state: dict[str, Any]) -> None:
    """Make a version live that keeps `count`, a number, and `name`, a text, and a memory of it."""
    save(caller, flow, content=kept(("count", "number"), ("name", "string")))
    assert deploy(caller, flow).status_code == 200
    stamps = {"created_at": timezone.now(), "updated_at": timezone.now()}
    Entity.objects.create(
        core=core, partition="entity", owner="u", entity_id="c", turns_committed=1, state=state, **stamps
    )


LOST = {
    "a text from a number": [("count", "string"), ("name", "string")],
    "a list from a text": [("count", "number"), ("name", "array")],
    "whole numbers only": [("count", "integer"), ("name", "string")],
    "one variable less": [("count", "number")],
    "another name": [("count", "number"), ("title", "string")],
}
KEPT = {
    "a further variable": [("count", "number"), ("name", "string"), ("more", "any")],
    "a wider type": [("count", "any"), ("name", "string")],
    "another name of the type": [("count", "float"), ("name", "text")],
}


@pytest.mark.parametrize("variables", LOST.values(), ids=LOST)
def test_a_deploy_that_would_reset_a_variable_asks_first(
    as_root: Rest, echo: Core, echo_flow: Flow, variables: list[tuple[str, str]]
) -> None:
    remembering(as_root, echo, echo_flow, {"count": 1.5, "name": "Ann"})
    save(as_root, echo_flow, "1.0.1", content=kept(*variables))
    assert error(deploy(as_root, echo_flow)) == (409, "memory_at_stake")
    assert deploy(as_root, echo_flow, {"accept_memory_change": True}).status_code == 200


@pytest.mark.parametrize("variables", KEPT.values(), ids=KEPT)
def test_a_deploy_that_keeps_every_value_asks_nothing(
    as_root: Rest, echo: Core, echo_flow: Flow, variables: list[tuple[str, str]]
) -> None:
    remembering(as_root, echo, echo_flow, {"count": 1.5, "name": "Ann"})
    save(as_root, echo_flow, "1.0.1", content=kept(*variables))
    assert deploy(as_root, echo_flow).status_code == 200


def test_a_variable_that_was_never_set_is_not_lost(as_root: Rest, echo: Core, echo_flow: Flow) -> None:
    remembering(as_root, echo, echo_flow, {"count": None})
    save(as_root, echo_flow, "1.0.1", content=kept())
    assert deploy(as_root, echo_flow).status_code == 200


def test_a_rollback_asks_before_it_resets_a_variable(as_root: Rest, echo: Core, echo_flow: Flow) -> None:
    save(as_root, echo_flow, content=kept(("count", "string")))
    assert deploy(as_root, echo_flow).status_code == 200
    save(as_root, echo_flow, "1.0.1", content=kept(("count", "number")))
    assert deploy(as_root, echo_flow).status_code == 200
    stamps = {"created_at": timezone.now(), "updated_at": timezone.now()}
    Entity.objects.create(
        core=echo, partition="entity", owner="u", entity_id="c", turns_committed=1, state={"count": 1}, **stamps
    )
    url = f"/v1/modules/scaicore/cores/{echo.pk}/rollback"
    assert code(as_root.post(url, {"version": 2})) == (409, "MEMORY_AT_STAKE")
    assert code(as_root.post(url, {"version": 1})) == (409, "MEMORY_AT_STAKE")
    assert as_root.post(url, {"version": 2, "accept_memory_change": True}).status_code == 200

"""`/v1/modules/scaicore/cores/{id}/publish`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from identity import groups
from identity.actors import actor_of, operator
from identity.models import AuditEntry, Group, Tenant, User
from publishing import actions, registry
from publishing.models import Core, Publication
from tests.conftest import echo_document
from tests.support.api_calls import Rest, code, data

SHAPE = {"core_id", "published_slug", "visibility", "group_ids", "version", "published_at", "published_by"}


@pytest.fixture
def unpublished(echo: Core, root: User) -> Core:
    actions.unpublish(echo, actor=actor_of(root), at=timezone.now())
    return echo


@pytest.fixture
def operations(acme: Tenant) -> Group:
    return Group.objects.create(tenant=acme, scaikey_id="group_acme_ops", name="Operations")


@pytest.fixture
def foreign(globex: Tenant) -> Group:
    return Group.objects.create(tenant=globex, scaikey_id="group_globex_eng")


def url(core: Core) -> str:
    return f"/v1/modules/scaicore/cores/{core.pk}/publish"


def standing(core: Core) -> tuple[str, list[str]] | None:
    publication = Publication.objects.filter(core=core).first()
    return (publication.visibility, publication.group_ids) if publication else None


def test_the_first_publish_creates_and_the_second_finds(as_root: Rest, unpublished: Core) -> None:
    first = data(as_root.post(url(unpublished), {"group_ids": []}), 201)
    assert data(as_root.post(url(unpublished), {"group_ids": []}), 200) == first
    assert set(first) == SHAPE
    assert (first["core_id"], first["published_slug"]) == (unpublished.pk, "scaicore/acme/echo-agent")
    assert (first["visibility"], first["group_ids"], first["version"]) == ("tenant", [], 1)
    assert first["published_by"] == "root@acme.test"


@pytest.mark.parametrize("body", [b"", {}, {"group_ids": []}, b"{}"])
def test_no_groups_at_the_first_publish_means_the_tenant(as_root: Rest, unpublished: Core, body: Any) -> None:
    assert data(as_root.post(url(unpublished), body), 201)["visibility"] == "tenant"


def test_groups_are_listed_once_and_sorted(
    as_root: Rest, unpublished: Core, engineering: Group, operations: Group
) -> None:
    names = ["group_acme_ops", "group_acme_eng", "group_acme_ops"]
    made = data(as_root.post(url(unpublished), {"group_ids": names}), 201)
    assert (made["visibility"], made["group_ids"]) == ("groups", ["group_acme_eng", "group_acme_ops"])


@pytest.mark.parametrize("body", [b"", {}, {"other": 1}])
def test_a_list_that_is_left_out_never_widens(as_root: Rest, narrow_echo: Core, body: Any) -> None:
    assert data(as_root.post(url(narrow_echo), body))["group_ids"] == ["group_acme_eng"]
    assert standing(narrow_echo) == ("groups", ["group_acme_eng"])


def test_an_empty_list_opens_the_model_to_the_tenant(as_root: Rest, narrow_echo: Core) -> None:
    assert data(as_root.post(url(narrow_echo), {"group_ids": []}))["visibility"] == "tenant"


def test_a_list_replaces_the_list_before(as_root: Rest, narrow_echo: Core, operations: Group) -> None:
    as_root.post(url(narrow_echo), {"group_ids": ["group_acme_ops"]})
    assert standing(narrow_echo) == ("groups", ["group_acme_ops"])


BAD_LISTS = [
    None,
    "group_acme_eng",
    7,
    True,
    {},
    {"group_acme_eng": 1},
    [None],
    [7],
    [True],
    [""],
    ["  "],
    [["group_acme_eng"]],
    [{}],
    ["group_unknown"],
    ["group_globex_eng"],
    ["group_acme_eng", "group_unknown"],
    [" group_acme_eng"],
    ["GROUP_ACME_ENG"],
    ["x" * 100_000],
    ["group_acme_eng,group_acme_ops"],
    ["\n"],
    ["\u202e"],
    ["*"],
]


@pytest.mark.parametrize("group_ids", BAD_LISTS, ids=lambda value: json.dumps(value)[:40])
def test_a_bad_list_is_refused_and_changes_nothing(
    as_root: Rest, narrow_echo: Core, foreign: Group, group_ids: Any
) -> None:
    entries = AuditEntry.objects.count()
    answer = as_root.post(url(narrow_echo), {"group_ids": group_ids})
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert all(row["field"].startswith("group_ids") for row in json.loads(answer.content)["error"]["details"])
    assert json.loads(answer.content)["error"]["details"]
    assert standing(narrow_echo) == ("groups", ["group_acme_eng"])
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize("group_ids", BAD_LISTS, ids=lambda value: json.dumps(value)[:40])
def test_a_bad_list_publishes_nothing(as_root: Rest, unpublished: Core, foreign: Group, group_ids: Any) -> None:
    assert code(as_root.post(url(unpublished), {"group_ids": group_ids})) == (422, "VALIDATION_ERROR")
    assert standing(unpublished) is None


def test_a_foreign_group_reads_exactly_like_an_unknown_one(as_root: Rest, echo: Core, foreign: Group) -> None:
    def told(name: str) -> str:
        return as_root.post(url(echo), {"group_ids": [name]}).content.decode().replace(name, "?").split('"meta"')[0]

    assert told("group_globex_eng") == told("group_globex_nil")


BAD_BODIES = {
    "list": b"[]",
    "list of groups": b'["group_acme_eng"]',
    "number": b"1",
    "text": b'"group_ids"',
    "null": b"null",
    "true": b"true",
    "no json": b"{",
    "blank": b" ",
    "form": b"group_ids=group_acme_eng",
    "deep": b'{"group_ids":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "NaN": b'{"group_ids": [NaN]}',
    "Infinity": b'{"group_ids": Infinity}',
    "1e999": b'{"group_ids": [1e999]}',
    "digits": b'{"group_ids": [' + b"9" * 5000 + b"]}",
    "lone surrogate": b'{"group_ids": ["\\ud800"]}',
    "lone surrogate key": b'{"\\udfff": 1}',
    "NUL": b'{"group_ids": ["\\u0000"]}',
    "raw NUL": b'{"group_ids": ["\x00"]}',
    "not utf-8": b'{"group_ids": ["\xff"]}',
    "utf-16": '{"group_ids": []}'.encode("utf-16"),
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_body_that_is_no_object_is_refused_and_changes_nothing(as_root: Rest, narrow_echo: Core, body: bytes) -> None:
    answer = as_root.post(url(narrow_echo), body, content_type="application/json")
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert json.loads(answer.content)["error"]["details"][0]["field"] == "body"
    assert standing(narrow_echo) == ("groups", ["group_acme_eng"])


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "application/xml", "", "x"],
)
def test_a_body_that_is_not_declared_as_json_is_415(as_root: Rest, narrow_echo: Core, content_type: str) -> None:
    answer = as_root.post(url(narrow_echo), b'{"group_ids": []}', content_type=content_type)
    assert code(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert standing(narrow_echo) == ("groups", ["group_acme_eng"])


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_declared_in_every_spelling(as_root: Rest, echo: Core, content_type: str) -> None:
    assert as_root.post(url(echo), b"{}", content_type=content_type).status_code == 200


def test_a_body_over_the_limit_is_413_by_its_declared_length(as_root: Rest, narrow_echo: Core) -> None:
    answer = as_root.post(url(narrow_echo), b"{}", **{"Content-Length": "20000001"})
    assert code(answer) == (413, "REQUEST_TOO_LARGE")
    assert standing(narrow_echo) == ("groups", ["group_acme_eng"])


def test_the_limit_is_a_setting(as_root: Rest, echo: Core, settings: Settings) -> None:
    settings.MAX_BODY_BYTES = 20
    assert as_root.post(url(echo), b'{"group_ids": []}   ').status_code == 200
    assert code(as_root.post(url(echo), b'{"group_ids": []}    ')) == (413, "REQUEST_TOO_LARGE")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "text/event-stream", "nonsense", ""])
def test_accept_is_ignored(as_root: Rest, echo: Core, accept: str) -> None:
    answer = as_root.post(url(echo), {}, Accept=accept)
    assert (answer.status_code, answer["content-type"]) == (200, "application/json")


def test_publishing_again_takes_up_the_last_restriction(
    as_root: Rest, narrow_echo: Core, engineering: Group, bo: User
) -> None:
    as_root.delete(url(narrow_echo))
    assert data(as_root.post(url(narrow_echo), {}), 201)["group_ids"] == ["group_acme_eng"]
    decision = registry.access(bo, narrow_echo)
    assert decision
    assert not decision.may_call


def test_publishing_again_with_a_list_sets_the_list(as_root: Rest, narrow_echo: Core, operations: Group) -> None:
    as_root.delete(url(narrow_echo))
    as_root.post(url(narrow_echo), {"group_ids": ["group_acme_ops"]})
    assert standing(narrow_echo) == ("groups", ["group_acme_ops"])
    as_root.delete(url(narrow_echo))
    as_root.post(url(narrow_echo), {"group_ids": []})
    assert standing(narrow_echo) == ("tenant", [])


def test_the_last_restriction_is_the_last_one(as_root: Rest, narrow_echo: Core) -> None:
    as_root.delete(url(narrow_echo))
    as_root.post(url(narrow_echo), {"group_ids": []})
    as_root.delete(url(narrow_echo))
    as_root.post(url(narrow_echo), {})
    assert standing(narrow_echo) == ("tenant", [])


def test_a_group_deleted_meanwhile_leaves_the_others(
    as_root: Rest, narrow_echo: Core, engineering: Group, operations: Group
) -> None:
    as_root.post(url(narrow_echo), {"group_ids": ["group_acme_eng", "group_acme_ops"]})
    as_root.delete(url(narrow_echo))
    groups.delete_group(operations, actor=operator("test"), at=timezone.now())
    as_root.post(url(narrow_echo), {})
    assert standing(narrow_echo) == ("groups", ["group_acme_eng"])


def test_groups_that_are_all_gone_open_it_to_nobody(
    as_root: Rest, narrow_echo: Core, engineering: Group, acme: Tenant
) -> None:
    as_root.delete(url(narrow_echo))
    groups.delete_group(engineering, actor=operator("test"), at=timezone.now())
    Group.objects.create(tenant=acme, scaikey_id="group_acme_eng")
    assert data(as_root.post(url(narrow_echo), {}), 201)["visibility"] == "groups"
    assert standing(narrow_echo) == ("groups", [])
    assert not registry.audience(Publication.objects.get()).exists()


def test_a_deploy_without_a_list_takes_up_the_last_restriction(as_root: Rest, narrow_echo: Core) -> None:
    as_root.delete(url(narrow_echo))
    document = echo_document()
    del document["config"]["model_visibility_group_ids"]
    flow = f"/api/v1/flows/{narrow_echo.flow_id}"
    as_root.put(flow, {"base_version": "1.0.0", "content": document})
    as_root.post(f"{flow}/deploy")
    assert standing(narrow_echo) == ("groups", ["group_acme_eng"])


def test_an_entry_tells_by_which_door_it_was_done(as_root: Rest, echo: Core) -> None:
    as_root.delete(url(echo))
    assert AuditEntry.objects.latest("pk").door == "api"


def test_a_core_without_a_publication_has_none_to_read(as_ann: Rest, unpublished: Core) -> None:
    assert code(as_ann.get(url(unpublished))) == (404, "NOT_PUBLISHED")


def test_the_list_of_groups_is_shown_to_admins_only(as_root: Rest, as_ann: Rest, narrow_echo: Core) -> None:
    assert data(as_root.get(url(narrow_echo)))["group_ids"] == ["group_acme_eng"]
    assert set(data(as_ann.get(url(narrow_echo)))) == SHAPE - {"group_ids"}


def test_ending_a_publication_twice_is_done_twice(as_root: Rest, echo: Core) -> None:
    first, second = as_root.delete(url(echo)), as_root.delete(url(echo))
    assert (first.status_code, second.status_code, first.content) == (204, 204, b"")
    assert AuditEntry.objects.filter(action="core.unpublished").count() == 1


def test_a_core_that_no_chat_call_can_enter_is_not_published(as_root: Rest, unpublished: Core) -> None:
    live = unpublished.versions.get()
    program = json.loads(json.dumps(live.program).replace("entry_api", "entry_schedule"))
    live.pk, live.number, live.program = None, 2, program
    live.save(force_insert=True)
    Core.objects.filter(pk=unpublished.pk).update(live=live)
    assert code(as_root.post(url(unpublished))) == (422, "VALIDATION_ERROR")
    assert standing(unpublished) is None


def test_what_is_published_can_be_called_by_its_groups_alone(
    as_root: Rest, unpublished: Core, engineering: Group, ann: User, bo: User
) -> None:
    as_root.post(url(unpublished), {"group_ids": ["group_acme_eng"]})
    may = {user.email: registry.access(user, unpublished) for user in (ann, bo)}
    assert {name: row.may_call for name, row in may.items() if row} == {"ann@acme.test": True, "bo@acme.test": False}


def test_a_publish_tells_the_audit_log_who_and_what(as_root: Rest, narrow_echo: Core) -> None:
    as_root.post(url(narrow_echo), {"group_ids": []})
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.target) == ("root@acme.test", "publication.changed", narrow_echo.pk)
    assert (entry.before["group_ids"], entry.after["visibility"]) == (["group_acme_eng"], "tenant")


def test_deleting_the_last_group_leaves_nobody(
    as_root: Rest, narrow_echo: Core, engineering: Group, root: User, key_of: Callable[[User], str]
) -> None:
    groups.delete_group(engineering, actor=actor_of(root), at=timezone.now())
    assert data(as_root.get(url(narrow_echo)))["visibility"] == "groups"
    assert data(as_root.post(url(narrow_echo), {}))["group_ids"] == []
    assert standing(narrow_echo) == ("groups", [])

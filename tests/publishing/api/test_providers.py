"""`/api/v1/providers`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from identity.models import AuditEntry, User
from publishing import providers, vault
from publishing.models import ModelProvider
from tests.support.api_calls import Rest, error

PROVIDERS = "/api/v1/providers"
HOUSE = f"{PROVIDERS}/house"
URL = "https://llm.example.com/v1"
KEY = "sk-live-51f0"
SHAPE = {"ref", "base_url", "has_key", "timeout_s", "options", "created_at", "updated_at"}


def created(caller: Rest, **fields: Any) -> Any:
    answer = caller.post(PROVIDERS, {"ref": "house", "base_url": URL, "api_key": KEY, **fields})
    assert answer.status_code == 201, answer.content
    return json.loads(answer.content)


def key_of_house() -> str:
    sealed = ModelProvider.objects.get(ref="house").sealed_key
    return vault.unseal(bytes(sealed), context=providers.key_context("acme", "house")) if sealed else ""


def test_a_provider_is_made_and_its_key_never_given_back(as_root: Rest) -> None:
    made = created(as_root)
    assert set(made) == SHAPE
    assert (made["ref"], made["base_url"], made["has_key"], made["timeout_s"]) == ("house", URL, True, 60.0)
    listed = json.loads(as_root.get(PROVIDERS).content)
    assert listed == {"items": [made], "total": 1, "operator_refs": []}
    changed = as_root.put(HOUSE, {"api_key": "sk-new"}).content
    assert KEY not in json.dumps(listed) + changed.decode()
    assert b"sk-new" not in changed


def test_the_column_holds_no_plain_text(as_root: Rest) -> None:
    created(as_root)
    with connection.cursor() as cursor:
        cursor.execute("SELECT m::text, sealed_key FROM publishing_modelprovider m")
        text, sealed = cursor.fetchone()
    assert KEY not in text
    assert KEY.encode().hex() not in text
    assert KEY.encode() not in bytes(sealed)
    assert key_of_house() == KEY


def test_a_change_keeps_what_it_leaves_out(as_root: Rest) -> None:
    created(as_root)
    changed = json.loads(as_root.put(HOUSE, {"timeout_s": 5, "base_url": "https://llm.example.com/v2/"}).content)
    assert (changed["base_url"], changed["timeout_s"], changed["has_key"]) == ("https://llm.example.com/v2", 5.0, True)
    assert key_of_house() == KEY


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_key_is_no_key(as_root: Rest, nothing: str | None) -> None:
    created(as_root)
    assert json.loads(as_root.put(HOUSE, {"api_key": nothing}).content)["has_key"] is False
    assert created(as_root, ref="open", api_key=nothing)["has_key"] is False


@pytest.mark.parametrize(
    "base_url", ["https://evil.example.com/v1", "http://llm.example.com/v1", "https://llm.example.com:8443/v1"]
)
def test_a_key_goes_to_no_other_server_than_it_was_given_for(as_root: Rest, base_url: str) -> None:
    created(as_root)
    answer = as_root.put(HOUSE, {"base_url": base_url})
    assert error(answer) == (422, "validation_error")
    assert json.loads(answer.content)["detail"]["details"][0]["field"] == "api_key"
    assert ModelProvider.objects.get(ref="house").base_url == URL
    assert as_root.put(HOUSE, {"base_url": base_url, "api_key": "sk-other"}).status_code == 200
    assert key_of_house() == "sk-other"


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "x",
        "llm.example.com/v1",
        "ftp://llm.example.com",
        "https://ann:pw@llm.example.com/v1",
        "https://",
        "https://llm.example.com/v1?key=1",
        "https://llm.example.com/v1#x",
        "http://0x7f.1/",
        "http://a\nb/",
        "http://127.0.0.1:9/v1",
        "http://localhost/v1",
        "http://169.254.169.254/",
        "http://[::1]/",
        "https://h:25/",
        7,
        None,
        [],
        {},
        "https://" + "a" * 500,
    ],
)
def test_a_base_url_that_cannot_be_called_is_refused_with_a_sentence(as_root: Rest, base_url: Any) -> None:
    answer = as_root.post(PROVIDERS, {"ref": "house", "base_url": base_url})
    assert error(answer) == (422, "validation_error")
    [detail] = json.loads(answer.content)["detail"]["details"]
    assert detail["field"] == "base_url"
    assert detail["message"].endswith(".")
    assert not ModelProvider.objects.exists()


def test_a_private_server_may_be_named_when_the_operator_lists_it(as_root: Rest, settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1:9999",)
    assert created(as_root, base_url="http://127.0.0.1:9999/v1")["base_url"] == "http://127.0.0.1:9999/v1"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ref", ""),
        ("ref", "a/b"),
        ("ref", "-a"),
        ("ref", "a b"),
        ("ref", "a" * 101),
        ("ref", 7),
        ("ref", None),
        ("timeout_s", 0),
        ("timeout_s", -1),
        ("timeout_s", 601),
        ("timeout_s", "60"),
        ("timeout_s", True),
        ("timeout_s", None),
        ("api_key", "a b"),
        ("api_key", "é"),
        ("api_key", "a\r\nX: y"),
        ("api_key", "x" * 1001),
        ("api_key", 7),
        ("api_key", {}),
    ],
)
def test_a_field_that_is_unusable_is_refused_by_its_name(as_root: Rest, field: str, value: Any) -> None:
    answer = as_root.post(PROVIDERS, {"ref": "house", "base_url": URL, field: value})
    assert error(answer) == (422, "validation_error")
    assert {detail["field"] for detail in json.loads(answer.content)["detail"]["details"]} == {field}


def test_a_ref_is_taken_once_in_a_tenant(as_root: Rest, as_cy: Rest) -> None:
    created(as_root)
    created(as_cy)
    assert error(as_root.post(PROVIDERS, {"ref": "house", "base_url": URL})) == (409, "conflict")


def test_a_ref_never_changes(as_root: Rest) -> None:
    created(as_root)
    assert error(as_root.put(HOUSE, {"ref": "other"})) == (422, "validation_error")
    assert as_root.put(HOUSE, {"ref": "house"}).status_code == 200


def test_only_an_admin_changes_providers(as_root: Rest, as_ann: Rest) -> None:
    made = created(as_root)
    for answer in (
        as_ann.post(PROVIDERS, {"ref": "mine", "base_url": URL}),
        as_ann.put(HOUSE, {"timeout_s": 5}),
        as_ann.delete(HOUSE),
    ):
        assert error(answer) == (403, "authz_permission_denied")
    assert json.loads(as_ann.get(PROVIDERS).content)["items"] == [made]


def test_another_tenants_provider_reads_like_none(as_root: Rest, as_cy: Rest) -> None:
    created(as_root)
    assert json.loads(as_cy.get(PROVIDERS).content)["items"] == []
    for method in ("PUT", "DELETE"):
        there, nowhere = as_cy.send(method, HOUSE, {}), as_cy.send(method, f"{PROVIDERS}/nowhere", {})
        assert error(there) == (404, "not_found")
        assert there.content == nowhere.content


def test_a_provider_is_removed(as_root: Rest) -> None:
    created(as_root)
    assert as_root.delete(HOUSE).status_code == 204
    assert error(as_root.delete(HOUSE)) == (404, "not_found")


def test_every_change_is_audited_without_the_key(as_root: Rest, root: User) -> None:
    created(as_root)
    as_root.put(HOUSE, {"timeout_s": 5})
    as_root.put(HOUSE, {"api_key": "sk-new"})
    as_root.delete(HOUSE)
    entries = list(AuditEntry.objects.filter(target="house").order_by("id"))
    assert [entry.action for entry in entries] == [
        "provider.created",
        "provider.saved",
        "provider.saved",
        "provider.deleted",
    ]
    assert {entry.actor for entry in entries} == {root.email}
    assert (entries[1].before["timeout_s"], entries[1].after["timeout_s"]) == (60.0, 5.0)
    assert entries[2].after["key_replaced"] is True
    assert "sk-" not in json.dumps([(entry.before, entry.after) for entry in entries])


def test_the_operators_providers_are_listed_by_ref_alone(as_ann: Rest, settings: LazySettings) -> None:
    settings.MODEL_PROVIDERS = {"shared": {"base_url": "http://10.0.0.1/v1", "api_key": KEY}}
    told = as_ann.get(PROVIDERS).content.decode()
    assert json.loads(told)["operator_refs"] == ["shared"]
    assert KEY not in told
    assert "10.0.0.1" not in told


OPTIONS = {"stream": False, "omit": ["temperature"], "thinking": "pass"}


def test_options_are_kept_replaced_and_removed(as_root: Rest) -> None:
    assert created(as_root)["options"] == {}
    assert json.loads(as_root.put(HOUSE, {"options": OPTIONS}).content)["options"] == OPTIONS
    assert json.loads(as_root.put(HOUSE, {"timeout_s": 5}).content)["options"] == OPTIONS
    assert json.loads(as_root.put(HOUSE, {"options": {"stream": None, "stream_usage": False}}).content)["options"] == {
        "stream_usage": False
    }
    assert json.loads(as_root.put(HOUSE, {"options": None}).content)["options"] == {}
    assert created(as_root, ref="odd", options=OPTIONS)["options"] == OPTIONS


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"strem": False}, "options.strem"),
        ({"stream": "no"}, "options.stream"),
        ({"max_tokens_field": "max"}, "options.max_tokens_field"),
        ({"system_role": "root"}, "options.system_role"),
        ({"omit": ["messages"]}, "options.omit[0]"),
        ({"omit": "temperature"}, "options.omit"),
        ({"thinking": True}, "options.thinking"),
        ([], "options"),
        ("stream", "options"),
        (7, "options"),
    ],
)
def test_an_option_that_is_none_is_refused_and_nothing_changes(as_root: Rest, options: Any, field: str) -> None:
    created(as_root, options=OPTIONS)
    for answer in (
        as_root.put(HOUSE, {"options": options}),
        as_root.post(PROVIDERS, {"ref": "odd", "base_url": URL, "options": options}),
    ):
        assert error(answer) == (422, "validation_error")
        [detail] = json.loads(answer.content)["detail"]["details"]
        assert (detail["field"], detail["message"][-1]) == (field, ".")
    assert [(each.ref, each.options) for each in ModelProvider.objects.all()] == [("house", OPTIONS)]


def test_options_are_audited(as_root: Rest) -> None:
    created(as_root)
    as_root.put(HOUSE, {"options": OPTIONS})
    assert AuditEntry.objects.filter(action="provider.saved").get().after["options"] == OPTIONS


@pytest.mark.parametrize("tail", ["/", "/chat/completions", "/chat/completions/"])
def test_the_address_of_the_chat_is_taken_for_its_base(as_root: Rest, tail: str) -> None:
    assert created(as_root, base_url=URL + tail)["base_url"] == URL

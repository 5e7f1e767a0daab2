"""Cores whose program lives elsewhere, at `/v1/modules/scaicore/cores`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from identity.models import AuditEntry
from publishing import vault
from publishing.clients import remote_cores
from publishing.models import Core
from tests.conftest import echo_document
from tests.support.api_calls import Rest, code, data

CORES = "/v1/modules/scaicore/cores"
URL = "https://agents.example.com/counter"
SECRET = "a-secret-of-both-sides"


def new(as_root: Rest, **remote: Any) -> Any:
    return data(as_root.post(CORES, {"name": "Counter", "remote": {"url": URL, **remote}}), 201)


def detail(answer: Any) -> tuple[str, str]:
    assert code(answer) == (422, "VALIDATION_ERROR")
    [problem] = json.loads(answer.content)["error"]["details"]
    return problem["field"], problem["message"]


def opened(core_id: str) -> str:
    core = Core.objects.get(pk=core_id)
    return vault.unseal(bytes(core.sealed_secret or b""), context=remote_cores.secret_context(core.tenant_id, core.pk))


def test_it_is_live_and_tells_all_but_its_secret(as_root: Rest) -> None:
    answer = as_root.post(CORES, {"name": "Counter", "remote": {"url": URL, "secret": SECRET}})
    made = data(answer, 201)
    assert made["remote"] == {"url": URL, "timeout_s": 60.0, "has_secret": True}
    assert (made["driver"], made["version"], made["instance_mode"]) == ("remote", 1, "stateless")
    assert SECRET not in answer.content.decode()
    assert opened(made["id"]) == SECRET


def test_the_audit_log_does_not_hold_the_secret(as_root: Rest) -> None:
    made = new(as_root, secret=SECRET)
    as_root.put(f"{CORES}/{made['id']}", {"remote": {"url": URL, "secret": f"{SECRET}-2"}})
    entries = list(AuditEntry.objects.filter(target=made["id"]).values_list("before", "after"))
    assert SECRET not in str(entries)
    assert "has_secret" in str(entries)


def test_a_change_is_a_new_version_and_keeps_the_secret(as_root: Rest) -> None:
    made = new(as_root, secret=SECRET)
    remote = {"url": f"{URL}/2", "timeout_s": 5, "instance_mode": "entity", "entity_scope": "tenant"}
    changed = data(as_root.put(f"{CORES}/{made['id']}", {"remote": remote}))
    assert changed["remote"] == {"url": f"{URL}/2", "timeout_s": 5.0, "has_secret": True}
    assert (changed["version"], changed["instance_mode"], changed["entity_scope"]) == (2, "entity", "tenant")
    assert opened(made["id"]) == SECRET


def test_an_empty_secret_removes_it(as_root: Rest) -> None:
    made = new(as_root, secret=SECRET)
    changed = data(as_root.put(f"{CORES}/{made['id']}", {"remote": {"url": URL, "secret": ""}}))
    assert changed["remote"]["has_secret"] is False


def test_a_secret_does_not_go_on_to_another_server(as_root: Rest) -> None:
    made = new(as_root, secret=SECRET)
    moved = {"url": "https://other.example.com/counter"}
    assert detail(as_root.put(f"{CORES}/{made['id']}", {"remote": moved}))[0] == "remote.secret"
    assert data(as_root.put(f"{CORES}/{made['id']}", {"remote": {**moved, "secret": SECRET}}))["version"] == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9/x", "OUTBOUND_ALLOWED_HOSTS"),
        ("http://localhost/", "OUTBOUND_ALLOWED_HOSTS"),
        ("http://169.254.169.254/latest", "OUTBOUND_ALLOWED_HOSTS"),
        ("https://example.com:25/", "OUTBOUND_ALLOWED_HOSTS"),
        ("ftp://example.com/", "http:// and https://"),
        ("https://user:word@example.com/", "user name"),
        ("https://example.com/?token=1", "Leave out"),
        ("https://2130706433/", "host"),
        ("counter", "http:// and https://"),
    ],
)
def test_a_url_that_is_not_called_from_here_is_refused_with_a_sentence(as_root: Rest, url: str, said: str) -> None:
    field, message = detail(as_root.post(CORES, {"name": "Counter", "remote": {"url": url}}))
    assert field == "remote.url"
    assert said in message
    assert not Core.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("secret", "short"),
        ("secret", "spaces are not taken here"),
        ("secret", 7),
        ("timeout_s", 0),
        ("timeout_s", 601),
        ("timeout_s", "60"),
        ("instance_mode", "global"),
        ("entity_scope", "world"),
        ("url", None),
        ("capabilities", "images"),
        ("capabilities", ["tools"]),
        ("capabilities", ["images", "telepathy"]),
    ],
)
def test_a_field_that_is_unusable_is_named(as_root: Rest, field: str, value: object) -> None:
    answer = as_root.post(CORES, {"name": "Counter", "remote": {"url": URL, field: value}})
    assert detail(answer)[0] == f"remote.{field}"
    assert not Core.objects.exists()


@pytest.mark.parametrize("both", [True, False])
def test_exactly_one_of_document_and_remote_program_makes_a_core(as_root: Rest, both: bool) -> None:
    given = {"content": echo_document(), "remote": {"url": URL}} if both else {}
    detail(as_root.post(CORES, {"name": "Counter", **given}))
    assert not Core.objects.exists()


def test_a_core_keeps_to_the_kind_of_program_that_it_was_made_with(as_root: Rest, echo: Core) -> None:
    made = new(as_root)
    assert detail(as_root.put(f"{CORES}/{made['id']}", {"content": echo_document()}))[0] == "content"
    assert detail(as_root.put(f"{CORES}/{echo.pk}", {"remote": {"url": URL}}))[0] == "remote"


def test_making_one_is_for_admins(as_ann: Rest) -> None:
    answer = as_ann.post(CORES, {"name": "Counter", "remote": {"url": URL}})
    assert code(answer) == (403, "AUTHZ_PERMISSION_DENIED")


def test_the_signature_is_the_documented_one() -> None:
    told = remote_cores.signature("a-secret-of-both-sides", "1700000000", b'{"input":{}}')
    assert told == "sha256=953fb30f5d3cd90f015a0e2ec000998ea089bb87b4d173e07b8fc2224ccfcb4d"

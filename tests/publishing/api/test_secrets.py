"""`/api/v1/secrets`."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from identity.actors import actor_of
from identity.models import AuditEntry, Tenant, User
from publishing import actions, vault
from publishing.clients import http
from publishing.models import Secret
from tests.conftest import ECHO
from tests.support.api_calls import Rest, error

SECRETS = "/api/v1/secrets"
CRM = f"{SECRETS}/crm"
VALUE = "tok en-77c1"


def created(caller: Rest, **fields: Any) -> Any:
    answer = caller.post(SECRETS, {"name": "crm", "value": VALUE, **fields})
    assert answer.status_code == 201, answer.content
    return json.loads(answer.content)


def value_of_crm() -> str:
    return vault.unseal(bytes(Secret.objects.get(name="crm").sealed), context=http.secret_context("acme", "crm"))


def test_a_secret_is_kept_and_never_given_back(as_root: Rest, as_ann: Rest) -> None:
    made = created(as_root)
    assert set(made) == {"name", "created_at", "updated_at"}
    assert json.loads(as_ann.get(SECRETS).content) == {"items": [made], "total": 1}
    assert value_of_crm() == VALUE


def test_the_column_holds_no_plain_text(as_root: Rest) -> None:
    created(as_root)
    with connection.cursor() as cursor:
        cursor.execute("SELECT s::text FROM publishing_secret s")
        [text] = cursor.fetchone()
    assert VALUE not in text
    assert VALUE.encode().hex() not in text


def test_a_secret_is_replaced_and_removed(as_root: Rest) -> None:
    created(as_root)
    assert as_root.put(CRM, {"value": "other"}).status_code == 200
    assert value_of_crm() == "other"
    assert as_root.delete(CRM).status_code == 204
    assert error(as_root.delete(CRM)) == (404, "not_found")


def test_a_secret_that_a_live_core_uses_stays_until_it_uses_it_no_more(
    as_root: Rest, acme: Tenant, root: User, settings: Any
) -> None:
    created(as_root)
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1:9",)
    document = deepcopy(ECHO)
    fetch = {"url": "http://127.0.0.1:9/x", "method": "GET", "secret_refs": {"authorization": "crm"}}
    document["nodes"][1] |= {"type": "tool_http", "config": {**fetch, "result_binding": "response"}}
    sent: Any = {"actor": actor_of(root), "at": timezone.now()}
    flow = actions.create_flow(tenant=acme, name="Fetch", content=document, **sent)
    core = actions.deploy(flow, **sent).core
    answer = as_root.delete(CRM)
    assert error(answer) == (409, "conflict")
    assert "These Cores use the secret: fetch." in answer.content.decode()
    assert value_of_crm() == VALUE
    actions.unpublish(core, **sent)
    actions.delete_core(core, **sent)
    assert as_root.delete(CRM).status_code == 204


@pytest.mark.parametrize("value", ["", "a\nb", "é", "\x7f", 7, None, "x" * 4001])
def test_a_value_that_no_header_could_carry_is_refused(as_root: Rest, value: Any) -> None:
    answer = as_root.post(SECRETS, {"name": "crm", "value": value})
    assert error(answer) == (422, "validation_error")
    assert json.loads(answer.content)["detail"]["details"][0]["field"] == "value"


@pytest.mark.parametrize("name", ["", "a/b", " ", "-", 7, None, "x" * 101])
def test_a_name_that_no_flow_could_write_is_refused(as_root: Rest, name: Any) -> None:
    answer = as_root.post(SECRETS, {"name": name, "value": VALUE})
    assert error(answer) == (422, "validation_error")
    assert json.loads(answer.content)["detail"]["details"][0]["field"] == "name"


def test_a_name_is_taken_once_in_a_tenant(as_root: Rest, as_cy: Rest) -> None:
    created(as_root)
    created(as_cy)
    assert error(as_root.post(SECRETS, {"name": "crm", "value": "x"})) == (409, "conflict")


def test_only_an_admin_of_the_tenant_changes_secrets(as_root: Rest, as_ann: Rest, as_cy: Rest) -> None:
    created(as_root)
    assert error(as_ann.post(SECRETS, {"name": "x", "value": "y"})) == (403, "authz_permission_denied")
    for answer in (as_ann.put(CRM, {"value": "x"}), as_ann.delete(CRM)):
        assert error(answer) == (403, "authz_permission_denied")
    for answer in (as_cy.put(CRM, {"value": "x"}), as_cy.delete(CRM)):
        assert error(answer) == (404, "not_found")
    assert value_of_crm() == VALUE


def test_every_change_is_audited_by_name_alone(as_root: Rest) -> None:
    created(as_root)
    as_root.put(CRM, {"value": "other"})
    as_root.delete(CRM)
    entries = AuditEntry.objects.filter(target="crm").order_by("id")
    assert [(entry.action, entry.before, entry.after) for entry in entries] == [
        ("secret.created", None, None),
        ("secret.saved", None, None),
        ("secret.deleted", None, None),
    ]

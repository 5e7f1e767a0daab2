"""Who may come in at the REST doors, and how they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from identity import keys
from identity.actors import actor_of
from identity.models import ApiKey, Tenant, User
from publishing import actions
from publishing.models import Core
from tests.support.api_calls import Rest, code, error

CORES = "/v1/modules/scaicore/cores"
FLOWS = "/api/v1/flows"
CSRF = "c" * 32


def revoke(user: User) -> None:
    keys.revoke(user.api_keys.get(), actor=actor_of(user), at=timezone.now())


def expire(user: User) -> None:
    ApiKey.objects.filter(user=user).update(expires_at=timezone.now() - timedelta(days=1))


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def close_tenant(user: User) -> None:
    Tenant.objects.filter(pk=user.tenant_id).update(is_active=False)


@pytest.mark.parametrize("end", [revoke, expire, deactivate, close_tenant])
def test_a_key_that_has_ended_opens_nothing(
    end: Callable[[User], None], ann: User, key_of: Callable[[User], str]
) -> None:
    caller = Rest(key_of(ann))
    assert caller.get(CORES).status_code == caller.get(FLOWS).status_code == 200
    end(ann)
    assert code(caller.get(CORES)) == (401, "AUTH_TOKEN_INVALID")
    assert error(caller.get(FLOWS)) == (401, "auth_token_invalid")


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Token x", "sgk_x"])
def test_a_request_without_a_key_is_asked_for_one(acme: Tenant, header: str) -> None:
    answer = Client().get(CORES, headers={"Authorization": header} if header else {})
    assert code(answer) == (401, "AUTH_TOKEN_MISSING")
    assert answer["www-authenticate"] == "Bearer"
    assert error(Client().get(FLOWS)) == (401, "auth_token_missing")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "bearer x", "Bearer sgk_" + "a" * 43, "Bearer \xff\xfe\x01"])
def test_a_wrong_key_is_told_apart_from_none(acme: Tenant, header: str) -> None:
    answer = Client().get(CORES, headers={"Authorization": header})
    assert code(answer) == (401, "AUTH_TOKEN_INVALID")
    assert answer["www-authenticate"] == "Bearer"


def test_who_asks_is_settled_before_what_was_sent(acme: Tenant) -> None:
    for url in (CORES, FLOWS):
        answer = Client().post(url, b"{", content_type="text/plain")
        assert answer.status_code == 401


def test_a_session_never_opens_the_module(root: User, echo: Core) -> None:
    browser = Client()
    browser.force_login(root)
    assert code(browser.get(CORES)) == (401, "AUTH_TOKEN_MISSING")


def test_a_session_reads_flows(root: User, echo: Core) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    assert browser.get(FLOWS).json()["total"] == 1


def test_a_session_changes_nothing_without_its_csrf_token(root: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    answer = browser.post("/api/v1/keys", {"name": "laptop"}, content_type="application/json")
    assert error(answer) == (403, "csrf_failed")
    assert not ApiKey.objects.exists()


def test_a_session_with_its_csrf_token_may_do_what_its_user_may(root: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    browser.cookies[settings.CSRF_COOKIE_NAME] = CSRF
    answer = browser.post(
        "/api/v1/keys", {"name": "laptop"}, content_type="application/json", headers={"X-CSRFToken": CSRF}
    )
    assert answer.status_code == 201


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_a_form_is_refused_even_after_the_csrf_check_has_read_it(root: User, content_type: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    browser.cookies[settings.CSRF_COOKIE_NAME] = CSRF
    form = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nlaptop\r\n--x--\r\n'
    answer = browser.post("/api/v1/keys", form, content_type=content_type, headers={"X-CSRFToken": CSRF})
    assert error(answer) == (415, "unsupported_media_type")


def test_a_session_of_a_closed_tenant_opens_nothing(root: User) -> None:
    browser = Client()
    browser.force_login(root)
    close_tenant(root)
    assert error(browser.get(FLOWS)) == (401, "auth_token_missing")


def test_a_wrong_key_is_not_made_good_by_a_session(root: User) -> None:
    browser = Client()
    browser.force_login(root)
    answer = browser.get(FLOWS, headers={"Authorization": "Bearer sgk_wrong"})
    assert error(answer) == (401, "auth_token_invalid")


def test_a_key_needs_no_csrf_token_beside_a_session(root: User, ann: User, key_of: Callable[[User], str]) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    body, headers = {"name": "laptop"}, {"Authorization": f"Bearer {key_of(ann)}"}
    answer = browser.post("/api/v1/keys", body, content_type="application/json", headers=headers)
    assert answer.json()["user"] == "ann@acme.test"


def test_a_key_that_is_used_is_noted_at_most_once_a_minute(ann: User, as_ann: Rest) -> None:
    as_ann.get(CORES)
    noted = ann.api_keys.get().last_used_at
    as_ann.get(CORES)
    assert noted is not None
    assert ann.api_keys.get().last_used_at == noted
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    as_ann.get(CORES)
    assert ann.api_keys.get().last_used_at > noted


def test_reading_a_core_takes_two_statements(
    as_ann: Rest, echo: Core, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    as_ann.get(CORES)
    with django_assert_num_queries(2):
        as_ann.get(f"{CORES}/{echo.pk}")


@pytest.mark.parametrize("path", ["", "nothing", "cores/a/b/c", "core", "cores//", "../admin", "cores/a%00b", "%ff"])
def test_an_unknown_url_speaks_the_envelope_of_its_prefix(as_root: Rest, path: str) -> None:
    answers = [as_root.get(f"/v1/modules/scaicore/{path}"), as_root.get(f"/v1/modules/scaicore/cores/x/{path}y")]
    assert {code(answer) for answer in answers} == {(404, "UNKNOWN_URL")}


@pytest.mark.parametrize(
    "path", ["/api/v1", "/api/v1/", "/api/v1/none", "/api/none", "/api/v1/flows/a/b", "/api/v1/keys/%00"]
)
def test_an_unknown_api_url_speaks_json(as_root: Rest, path: str) -> None:
    assert error(as_root.get(f"/api/v1{path}")) == (404, "unknown_url")


def test_another_module_is_unknown_in_the_module_envelope(as_root: Rest) -> None:
    assert code(as_root.get("/v1/modules/scaibot/bots")) == (404, "UNKNOWN_URL")


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"])
def test_a_method_that_is_not_served_is_405_and_names_those_that_are(as_root: Rest, method: str) -> None:
    answer = as_root.send(method, CORES)
    assert code(answer) == (405, "METHOD_NOT_ALLOWED")
    assert {"GET", "POST"} <= set(answer["allow"].split(", "))
    assert error(as_root.send(method, FLOWS)) == (405, "method_not_allowed")


def test_a_defect_is_logged_and_told_by_a_fixed_sentence(
    as_root: Rest, echo: Core, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret: sgk_abc at /srv/app.py")

    monkeypatch.setattr(actions, "publish", broken)
    answer = as_root.post(f"{CORES}/{echo.pk}/publish")
    assert code(answer) == (500, "INTERNAL_ERROR")
    assert b"secret" not in answer.content
    assert answer["x-request-id"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_database_that_is_away_is_503(as_root: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("could not connect to postgres@10.0.0.1")

    monkeypatch.setattr(keys, "find", away)
    answer = as_root.get(CORES)
    assert code(answer) == (503, "SERVICE_UNAVAILABLE")
    assert answer["retry-after"] == "1"
    assert error(as_root.get(FLOWS)) == (503, "service_unavailable")
    assert b"10.0.0.1" not in answer.content


def test_every_refusal_carries_json_and_its_request_id(as_root: Rest) -> None:
    answer = as_root.get("/api/v1/none")
    assert answer["content-type"] == "application/json"
    assert answer["x-request-id"].startswith("req_")
    assert "detail" in json.loads(answer.content)


def test_the_playgrounds_key_opens_the_chat_and_the_runs_alone(ann: User, echo: Core) -> None:
    _, secret = keys.mint_for_playground(user=ann, actor=actor_of(ann), at=timezone.now())
    client = Rest(secret)
    for url in ("/api/v1/flows", "/api/v1/keys", "/v1/modules/scaicore/cores"):
        assert client.get(url).status_code == 403, url
    assert client.get(f"/v1/modules/scaicore/cores/{echo.pk}/runs").status_code == 200

"""`/api/v1/keys`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from chatapi import urls as chat
from chatapi.views import InvokeView
from identity.models import ApiKey, User
from publishing.api import urls
from publishing.api.policies import KeyHasNoLimit
from publishing.models import Core
from tests.support.api_calls import MODULE, Rest, code, data, error

KEYS = "/api/v1/keys"
SHAPE = {
    "id",
    "name",
    "prefix",
    "user_id",
    "user",
    "created_at",
    "expires_at",
    "revoked_at",
    "last_used_at",
    "models",
}


def minted(caller: Rest, **fields: Any) -> Any:
    answer = caller.post(KEYS, {"name": "laptop", **fields})
    assert answer.status_code == 201, answer.content
    return json.loads(answer.content)


def listed(caller: Rest) -> list[Any]:
    page = json.loads(caller.get(KEYS).content)
    assert page["total"] == len(page["items"])
    return list(page["items"])


def test_a_new_key_is_told_once_and_opens_the_door(as_ann: Rest) -> None:
    made = minted(as_ann)
    assert set(made) == SHAPE | {"key"}
    assert (made["user"], made["name"], made["expires_at"]) == ("ann@acme.test", "laptop", None)
    assert len(made["key"]) == 47
    assert made["key"].startswith(made["prefix"])
    assert Rest(made["key"]).get(KEYS).status_code == 200
    assert made["key"] not in as_ann.get(KEYS).content.decode()


def test_a_user_lists_the_own_keys_and_an_admin_the_tenants(as_root: Rest, as_ann: Rest, as_cy: Rest) -> None:
    assert {key["user"] for key in listed(as_ann)} == {"ann@acme.test"}
    assert {key["user"] for key in listed(as_root)} == {"ann@acme.test", "root@acme.test"}
    assert set(listed(as_ann)[0]) == SHAPE


ECHO = "scaicore/acme/echo-agent"


def test_a_key_is_limited_to_the_models_that_are_sent(as_ann: Rest, echo: Core) -> None:
    made = minted(as_ann, models=[ECHO])
    assert made["models"] == [ECHO]
    assert [key["models"] for key in listed(as_ann)] == [[ECHO], None]


@pytest.mark.parametrize("models", [[], "scaicore/acme/echo-agent", [7], [""], {}])
def test_a_limit_that_cannot_be_is_refused(as_ann: Rest, echo: Core, models: Any) -> None:
    answer = as_ann.post(KEYS, {"name": "laptop", "models": models})
    assert error(answer) == (422, "validation_error")
    assert json.loads(answer.content)["detail"]["details"][0]["field"].startswith("models")
    assert len(listed(as_ann)) == 1


def test_a_model_that_the_user_may_not_call_is_named_whatever_the_reason(as_root: Rest, narrow_echo: Core) -> None:
    answer = as_root.post(KEYS, {"name": "laptop", "models": [ECHO, "scaicore/globex/theirs", "nothing"]})
    assert error(answer) == (422, "validation_error")
    told = json.loads(answer.content)["detail"]["details"]
    assert [problem["field"] for problem in told] == ["models.0", "models.1", "models.2"]
    assert len({problem["message"] for problem in told}) == 1


def test_an_admins_limited_key_opens_no_door_but_the_chat(as_root: Rest, root: User, echo: Core) -> None:
    limited = Rest(minted(as_root, models=[ECHO])["key"])
    core = f"{MODULE}/cores/{echo.pk}"
    assert data(Rest(as_root.key).get(core))
    for method, url in [
        ("GET", f"{MODULE}/cores"),
        ("POST", f"{MODULE}/cores"),
        ("PUT", core),
        ("POST", f"{core}/publish"),
        ("DELETE", f"{core}/publish"),
        ("GET", f"{core}/entities"),
        ("DELETE", f"{core}/entities/x"),
    ]:
        assert code(limited.send(method, url, {})) == (403, "AUTHZ_PERMISSION_DENIED"), url
    for method, url in [
        ("GET", KEYS),
        ("POST", KEYS),
        ("DELETE", f"{KEYS}/{root.api_keys.first()}"),
        ("GET", "/api/v1/flows"),
        ("POST", "/api/v1/flows"),
        ("GET", "/api/v1/groups"),
        ("GET", "/api/v1/secrets"),
        ("GET", "/api/v1/providers"),
    ]:
        answer = limited.send(method, url, {})
        assert error(answer) == (403, "authz_permission_denied"), url
        told = json.loads(answer.content)["detail"]
        assert told["message"] == "This key is limited to chosen models: it opens the chat alone."
        assert told["fix"] == "Send a key without a limit."


def test_every_url_of_the_control_plane_keeps_limited_keys_out() -> None:
    views = {cast(Any, pattern.callback).view_class for pattern in [*urls.modules, *urls.api, *chat.modules]}
    kept = {view for view in views if not any(issubclass(one, KeyHasNoLimit) for one in view.permission_classes)}
    assert kept == {InvokeView}


def test_a_revoked_key_stays_in_the_list_and_opens_nothing(as_ann: Rest) -> None:
    made = minted(as_ann)
    assert as_ann.delete(f"{KEYS}/{made['id']}").status_code == 204
    assert as_ann.delete(f"{KEYS}/{made['id']}").status_code == 204
    [kept] = [key for key in listed(as_ann) if key["id"] == made["id"]]
    assert kept["revoked_at"] is not None
    assert code(Rest(made["key"]).get("/v1/modules/scaicore/cores")) == (401, "AUTH_TOKEN_INVALID")


def test_an_expiry_is_kept_in_utc(as_ann: Rest) -> None:
    made = minted(as_ann, expires_at="2999-01-01T02:00:00+02:00")
    assert made["expires_at"] == "2999-01-01T00:00:00Z"
    assert ApiKey.objects.get(pk=made["id"]).expires_at == datetime(2999, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "expires_at",
    ["2001-01-01T00:00:00Z", "tomorrow", 7, [], "", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"],
)
def test_an_expiry_that_cannot_be_is_refused(as_ann: Rest, expires_at: Any) -> None:
    answer = as_ann.post(KEYS, {"name": "laptop", "expires_at": expires_at})
    assert error(answer) == (422, "validation_error")
    assert json.loads(answer.content)["detail"]["details"][0]["field"] == "expires_at"
    assert len(listed(as_ann)) == 1


@pytest.mark.parametrize("name", ["", "  ", None, 7, "x" * 201])
def test_a_key_without_a_name_is_refused(as_ann: Rest, name: Any) -> None:
    assert error(as_ann.post(KEYS, {"name": name})) == (422, "validation_error")


@pytest.mark.parametrize("spelling", ["ann@acme.test", "ANN@acme.test", "id"])
def test_an_admin_mints_for_any_user_of_the_tenant(as_root: Rest, ann: User, spelling: str) -> None:
    made = minted(as_root, user=ann.pk if spelling == "id" else spelling)
    assert (made["user"], made["user_id"]) == ("ann@acme.test", ann.pk)


def test_a_user_may_name_itself(as_ann: Rest, ann: User) -> None:
    assert minted(as_ann, user=ann.pk)["user"] == minted(as_ann, user="Ann@acme.test")["user"] == "ann@acme.test"


@pytest.mark.parametrize("named", ["bo@acme.test", "cy@globex.test", "nobody@acme.test"])
def test_nobody_else_mints_for_others_or_learns_who_exists(as_ann: Rest, bo: User, cy: User, named: str) -> None:
    answer = as_ann.post(KEYS, {"name": "laptop", "user": named})
    assert error(answer) == (403, "authz_permission_denied")


def test_a_foreign_user_reads_exactly_like_an_unknown_one(as_root: Rest, cy: User) -> None:
    answers = [as_root.post(KEYS, {"name": "x", "user": name}) for name in (cy.email, cy.pk, "nobody@acme.test")]
    assert {error(answer) for answer in answers} == {(422, "validation_error")}
    assert len({answer.content for answer in answers}) == 1


def test_an_admin_revokes_any_key_of_the_tenant(as_root: Rest, as_ann: Rest, ann: User) -> None:
    assert as_root.delete(f"{KEYS}/{ann.api_keys.get().pk}").status_code == 204
    assert as_ann.get(KEYS).status_code == 401


def test_a_user_revokes_no_key_of_another(as_ann: Rest, root: User, as_root: Rest) -> None:
    assert error(as_ann.delete(f"{KEYS}/{root.api_keys.get().pk}")) == (403, "authz_permission_denied")


def test_a_foreign_key_reads_like_none(as_cy: Rest, as_ann: Rest, ann: User, key_of: Callable[[User], str]) -> None:
    there, nowhere = as_cy.delete(f"{KEYS}/{ann.api_keys.get().pk}"), as_cy.delete(f"{KEYS}/apikey_none")
    assert error(there) == (404, "not_found")
    assert there.content == nowhere.content

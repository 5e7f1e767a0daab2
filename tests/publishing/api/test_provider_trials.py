"""`POST /api/v1/providers/{ref}/test`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import LazySettings

from tests.support.api_calls import Rest, error
from tests.support.upstream import Upstream
from tests.support.upstream_answers import TEXT, completion, giving, refusing
from tests.support.upstream_wire import Script

PROVIDERS = "/api/v1/providers"
TEST = f"{PROVIDERS}/house/test"
MODELS = giving({"object": "list", "data": [{"id": "text-embedding-3"}, {"id": "odd"}, {"id": "well"}]})


@pytest.fixture
def house(as_root: Rest, upstream: Upstream, settings: LazySettings) -> Any:
    """Acme's provider `house`: the scripted server, which lists some models."""
    settings.OUTBOUND_ALLOWED_HOSTS = (f"127.0.0.1:{upstream.port}",)
    made = {"ref": "house", "base_url": upstream.base_url, "api_key": "sk-house-4d1e", "timeout_s": 2}
    assert as_root.post(PROVIDERS, made).status_code == 201

    def serve(models: Script = MODELS, chat: Script | None = None) -> None:
        upstream.plays("/v1/models", models)
        if chat is not None:
            upstream.plays("odd", chat)

    return serve


def tried(caller: Rest, **body: Any) -> Any:
    answer = caller.post(TEST, body)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def test_a_provider_lists_its_models_and_one_of_them_answers(as_root: Rest, house: Any, upstream: Upstream) -> None:
    house(chat=giving(completion()))
    found = tried(as_root)
    assert found["ok"] is True
    assert found["models"] == {"ids": ["text-embedding-3", "odd", "well"], "total": 3, "problem": None}
    chat = found["chat"]
    assert (chat["model"], chat["text"], chat["finish_reason"], chat["prompt_tokens"]) == ("odd", TEXT, "stop", 11)
    assert found["refused"] == []
    assert {seen.headers["authorization"] for seen in upstream.requests} == {"Bearer sk-house-4d1e"}


def test_what_the_server_refuses_is_told_each_time(as_root: Rest, house: Any) -> None:
    refusal = {"error": {"message": "Unsupported parameter: 'temperature' with sk-house-4d1e", "param": "temperature"}}
    house(chat=refusing(lambda sent: "temperature" in sent, refusal))
    for _ in range(2):
        found = tried(as_root)
        assert found["ok"] is True
        assert [each["field"] for each in found["refused"]] == ["temperature"]
        assert found["refused"][0]["said"] == "400: Unsupported parameter: 'temperature' with [secret]"


def test_the_model_that_is_named_is_asked(as_root: Rest, house: Any) -> None:
    house()
    assert tried(as_root, model="well")["chat"]["model"] == "well"


@pytest.mark.parametrize(
    ("models", "chat", "listed", "answered"),
    [
        (giving({}, status=404), giving(completion()), "missing", None),
        (giving({}, status=401), giving({}, status=401), "denied", "denied"),
        (giving(b"<html>"), giving(b"<html>"), "upstream_failed", "upstream_failed"),
        (giving({"data": 7}), giving(completion("")), "upstream_failed", "no_text"),
    ],
)
def test_what_does_not_work_is_told_with_what_to_do(
    as_root: Rest, house: Any, models: Script, chat: Script, listed: str, answered: str | None
) -> None:
    house(models, chat)
    found = tried(as_root, model="odd")
    assert found["models"]["problem"]["reason"] == listed
    assert found["models"]["problem"]["fix"].endswith(".")
    assert (found["chat"]["problem"] or {}).get("reason") == answered
    assert found["ok"] is (answered is None)


def test_a_server_that_nobody_runs_is_told_of(as_root: Rest, house: Any, upstream: Upstream) -> None:
    as_root.put(f"{PROVIDERS}/house", {"base_url": f"http://127.0.0.1:{upstream.port}/v1", "api_key": ""})
    house(giving({}, status=404))
    found = tried(as_root)
    assert (found["ok"], found["chat"]) == (False, None)


@pytest.mark.parametrize(
    "body", [{"data": []}, {"models": [{"name": "odd"}]}, [{"id": "odd"}, {"id": 7}, 7, {"id": "a\nb"}]]
)
def test_lists_of_other_shapes_are_read(as_root: Rest, house: Any, body: Any) -> None:
    house(giving(json.dumps(body).encode()), giving(completion()))
    found = tried(as_root)
    assert found["models"]["ids"] == ([] if body == {"data": []} else ["odd"])


def test_only_an_admin_of_the_tenant_tries_its_providers(
    as_root: Rest, as_ann: Rest, as_cy: Rest, house: Any, upstream: Upstream
) -> None:
    house()
    assert error(as_ann.post(TEST, {})) == (403, "authz_permission_denied")
    assert error(as_cy.post(TEST, {})) == (404, "not_found")
    assert error(as_root.post(f"{PROVIDERS}/nowhere/test", {})) == (404, "not_found")
    assert error(as_root.post(TEST, {"model": 7})) == (422, "validation_error")
    assert upstream.requests == []


def test_a_trial_gives_no_key_away(as_root: Rest, house: Any) -> None:
    house(giving(b"key sk-house-4d1e", status=401), giving({"error": {"message": "Bearer sk-house-4d1e"}}, status=401))
    assert "4d1e" not in json.dumps(tried(as_root, model="odd"))


LISTED = f"{PROVIDERS}/house/models"


def test_the_models_of_a_provider_are_listed(as_root: Rest, house: Any) -> None:
    house()
    answer = as_root.get(LISTED)
    found = json.loads(answer.content)
    assert found == {"ids": ["text-embedding-3", "odd", "well"], "total": 3, "problem": None}


def test_the_operators_provider_lists_its_models_too(as_root: Rest, upstream: Upstream, settings: LazySettings) -> None:
    settings.MODEL_PROVIDERS = {"shared": {"base_url": upstream.base_url, "api_key": "sk-shared-77"}}
    upstream.plays("/v1/models", MODELS)
    found = json.loads(as_root.get(f"{PROVIDERS}/shared/models").content)
    assert found["total"] == 3
    assert upstream.requests[-1].headers["authorization"] == "Bearer sk-shared-77"


def test_a_server_that_lists_nothing_is_told_of(as_root: Rest, house: Any) -> None:
    house(models=giving({"error": "no"}, status=500))
    found = json.loads(as_root.get(LISTED).content)
    assert found["ids"] == [] and found["problem"]["reason"] and "sk-house" not in str(found)


def test_only_admins_ask_and_only_for_their_own(as_ann: Rest, as_root: Rest, house: Any, upstream: Upstream) -> None:
    house()
    assert as_ann.get(LISTED).status_code == 403
    assert as_root.get(f"{PROVIDERS}/nope/models").status_code == 404
    assert upstream.requests == []

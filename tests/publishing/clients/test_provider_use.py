"""Flows that name model providers: what a deploy demands of them, and what a removal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import LazySettings

from tests.conftest import echo_document
from tests.support.api_calls import Rest, error

PROVIDERS = "/api/v1/providers"
HOUSE = {"ref": "house", "base_url": "https://llm.example.com/v1"}
MODELS = [{"role": "main", "ref": "house", "model": "m", "fallback": [{"ref": "spare", "model": "m"}]}]


def document(models: list[Any] = MODELS) -> dict[str, Any]:
    return echo_document(core_identity={"name": "x", "models": models})


@pytest.fixture
def flow_url(as_root: Rest) -> str:
    """A saved flow that names the providers house and spare."""
    made = as_root.post("/api/v1/flows", {"name": "Assistant", "content": document()})
    return f"/api/v1/flows/{json.loads(made.content)['id']}"


def add(caller: Rest, *refs: str) -> None:
    for ref in refs:
        assert caller.post(PROVIDERS, {**HOUSE, "ref": ref}).status_code == 201


def found(answer: Any) -> list[tuple[str, str]]:
    told = json.loads(answer.content)
    return [(item["code"], item["path"]) for item in told.get("detail", told)["diagnostics"]]


UNKNOWN = ("unknown_model_provider", "config.core_identity.models[0].ref")
UNKNOWN_SPARE = ("unknown_model_provider", "config.core_identity.models[0].fallback[0].ref")


def test_a_deploy_demands_every_provider_that_the_flow_names(as_root: Rest, flow_url: str) -> None:
    refused = as_root.post(f"{flow_url}/deploy", {})
    assert error(refused) == (400, "compile_error")
    assert found(refused) == [UNKNOWN, UNKNOWN_SPARE]
    add(as_root, "house", "spare")
    assert as_root.post(f"{flow_url}/deploy", {}).status_code == 200


def test_another_tenants_provider_is_unknown(as_root: Rest, as_cy: Rest, flow_url: str) -> None:
    add(as_cy, "house", "spare")
    assert error(as_root.post(f"{flow_url}/deploy", {})) == (400, "compile_error")


def test_the_operators_provider_is_known_to_every_tenant(as_root: Rest, flow_url: str, settings: LazySettings) -> None:
    settings.MODEL_PROVIDERS = {ref: {"base_url": "http://10.0.0.1/v1"} for ref in ("house", "spare")}
    assert as_root.post(f"{flow_url}/deploy", {}).status_code == 200


def test_validating_and_compiling_say_what_a_deploy_would(as_root: Rest, as_cy: Rest) -> None:
    add(as_root, "house")
    for caller, expected in ((as_root, [UNKNOWN_SPARE]), (as_cy, [UNKNOWN, UNKNOWN_SPARE])):
        assert found(caller.post("/api/v1/flows/validate", {"content": document()})) == expected
        assert found(caller.post("/api/v1/flows/compile", {"content": document()})) == expected
    add(as_root, "spare")
    assert found(as_root.post("/api/v1/flows/validate", {"content": document()})) == []
    assert as_root.post("/api/v1/flows/compile", {"content": document()}).status_code == 200


@pytest.mark.parametrize("ref", ["house", "spare"])
def test_a_provider_that_a_live_core_calls_is_not_removed(as_root: Rest, flow_url: str, ref: str) -> None:
    add(as_root, "house", "spare")
    as_root.post(f"{flow_url}/deploy", {})
    refused = as_root.delete(f"{PROVIDERS}/{ref}")
    assert error(refused) == (409, "conflict")
    assert "assistant" in json.loads(refused.content)["detail"]["message"]


def test_a_provider_is_removed_once_no_live_core_calls_it(as_root: Rest, as_cy: Rest, flow_url: str) -> None:
    add(as_root, "house", "spare")
    add(as_cy, "house")
    as_root.post(f"{flow_url}/deploy", {})
    assert as_cy.delete(f"{PROVIDERS}/house").status_code == 204
    as_root.put(flow_url, {"content": document(models=[]), "base_version": "1.0.0"})
    assert as_root.post(f"{flow_url}/deploy", {}).status_code == 200
    assert as_root.delete(f"{PROVIDERS}/house").status_code == 204


def test_a_provider_that_the_operator_has_too_may_always_go(
    as_root: Rest, flow_url: str, settings: LazySettings
) -> None:
    add(as_root, "house", "spare")
    as_root.post(f"{flow_url}/deploy", {})
    settings.MODEL_PROVIDERS = {"house": {"base_url": "http://10.0.0.1/v1"}}
    assert as_root.delete(f"{PROVIDERS}/house").status_code == 204

"""The OpenAPI document and the page that shows it."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tests.support.api_calls import error


@pytest.fixture(scope="module")
def schema() -> Any:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    return json.loads(out.getvalue())


def operations(schema: Any) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": told
        for path, methods in schema["paths"].items()
        for method, told in methods.items()
    }


def test_no_endpoint_stands_in_it_twice(schema: Any) -> None:
    assert not [path for path in schema["paths"] if path.endswith("/") or path.startswith("/oai/")]


def test_every_endpoint_stands_in_it(schema: Any) -> None:
    assert set(operations(schema)) >= {
        "GET /v1/modules/scaicore/cores",
        "POST /v1/modules/scaicore/cores",
        "GET /v1/modules/scaicore/cores/{core_id}",
        "PUT /v1/modules/scaicore/cores/{core_id}",
        "DELETE /v1/modules/scaicore/cores/{core_id}",
        "POST /v1/modules/scaicore/cores/{core_id}/publish",
        "GET /v1/modules/scaicore/cores/{core_id}/publish",
        "DELETE /v1/modules/scaicore/cores/{core_id}/publish",
        "GET /v1/modules/scaicore/cores/{core_id}/versions",
        "POST /v1/modules/scaicore/cores/{core_id}/rollback",
        "POST /v1/modules/scaicore/cores/{core_id}/invoke",
        "GET /api/v1/flows",
        "POST /api/v1/flows",
        "GET /api/v1/flows/{flow_id}",
        "PUT /api/v1/flows/{flow_id}",
        "DELETE /api/v1/flows/{flow_id}",
        "GET /api/v1/flows/{flow_id}/versions",
        "GET /api/v1/flows/{flow_id}/versions/{version}",
        "POST /api/v1/flows/{flow_id}/deploy",
        "GET /api/v1/flows/{flow_id}/deployments",
        "POST /api/v1/flows/validate",
        "POST /api/v1/flows/compile",
        "GET /api/v1/keys",
        "POST /api/v1/keys",
        "DELETE /api/v1/keys/{key_id}",
        "GET /api/v1/groups",
        "POST /api/v1/groups",
        "GET /api/v1/groups/{group_id}",
        "PATCH /api/v1/groups/{group_id}",
        "DELETE /api/v1/groups/{group_id}",
        "GET /api/v1/groups/{group_id}/members",
        "PUT /api/v1/groups/{group_id}/members",
        "POST /api/v1/groups/{group_id}/members",
        "DELETE /api/v1/groups/{group_id}/members/{member}",
        "GET /api/v1/users",
        "POST /api/v1/users",
        "GET /api/v1/users/{user_id}",
        "PATCH /api/v1/users/{user_id}",
        "DELETE /api/v1/users/{user_id}",
        "GET /api/v1/users/{user_id}/models",
        "GET /api/v1/audit",
        "POST /v1/chat/completions",
        "GET /v1/models",
        "GET /v1/models/{name}",
    }


def test_every_endpoint_says_what_it_takes_gives_and_refuses(schema: Any) -> None:
    for name, told in operations(schema).items():
        assert told["description"], name
        assert "401" in told["responses"], name
        assert any(status.startswith("2") for status in told["responses"]), name
        assert (
            "requestBody" in told
            or not name.startswith(("POST", "PUT"))
            or name.endswith(("/deploy", "/refresh", "/cancel", "/undo"))
        ), name


def test_a_client_generator_gets_readable_names(schema: Any) -> None:
    names = [told["operationId"] for told in operations(schema).values()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in names)


def test_the_module_is_opened_by_keys_and_the_flows_by_sessions_too(schema: Any) -> None:
    told = operations(schema)
    assert told["GET /v1/modules/scaicore/cores"]["security"] == [{"apiKey": []}]
    assert told["GET /api/v1/flows"]["security"] == [{"apiKey": []}, {"session": []}]


BY_KEY = [
    "POST /v1/chat/completions",
    "GET /v1/models",
    "GET /v1/models/{name}",
    "POST /v1/modules/scaicore/cores/{core_id}/invoke",
]
CALLS = [BY_KEY[0], BY_KEY[3], "POST /hooks/{tenant}/{slug}"]


@pytest.mark.parametrize("name", BY_KEY)
def test_the_data_plane_is_opened_by_keys(schema: Any, name: str) -> None:
    found = operations(schema)[name]
    assert found["security"] == [{"apiKey": []}]
    assert "Authorization" not in {parameter["name"] for parameter in found.get("parameters", [])}


@pytest.mark.parametrize("name", [*BY_KEY, CALLS[2]])
def test_every_answer_of_the_data_plane_has_a_schema(schema: Any, name: str) -> None:
    for status, answer in operations(schema)[name]["responses"].items():
        assert answer["content"]["application/json"]["schema"], status


@pytest.mark.parametrize("name", CALLS)
def test_every_status_that_a_call_may_end_with_stands_in_it(schema: Any, name: str) -> None:
    statuses = {"200", "400", "401", "404", "405", "409", "413", "415", "422", "429", "500", "502", "503", "504"}
    assert statuses <= set(operations(schema)[name]["responses"])


def test_a_chat_request_has_the_limits_that_are_enforced(schema: Any) -> None:
    found = schema["components"]["schemas"]["ChatRequest"]["properties"]
    assert found["messages"]["minItems"] == 1
    assert (found["max_tokens"]["minimum"], found["max_tokens"]["type"]) == (1, ["integer", "null"])
    assert (found["temperature"]["minimum"], found["temperature"]["maximum"]) == (0, 2)
    assert (found["entity_id"]["minLength"], found["entity_id"]["maxLength"]) == (1, 128)
    assert found["stream"]["type"] == ["boolean", "null"]


@pytest.mark.django_db
def test_it_is_served_as_json_to_everybody() -> None:
    answer = Client().get("/api/schema/", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert json.loads(answer.content)["info"]["title"] == "ScaiGrid Publish"


@pytest.mark.parametrize("url", ["/api/docs", "/api/docs/"])
@pytest.mark.django_db
def test_its_page_brings_no_inline_script_or_style(url: str) -> None:
    page = Client().get(url).content.decode()
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*src=)", page)
    assert not re.search(r'(src|href)="https?:', page)
    script = re.search(r'src="([^"]+script=[^"]*)"', page)
    assert script
    assert Client().get(script[1])["content-type"].startswith("application/javascript")


@pytest.mark.parametrize("url", ["/api/docs/", "/api/schema/"])
@pytest.mark.django_db
def test_its_pages_refuse_in_the_envelope(url: str) -> None:
    assert error(Client().post(url)) == (405, "method_not_allowed")

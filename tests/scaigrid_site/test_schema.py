"""The OpenAPI document against the server: what each operation answers to values that its own schema allows."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from identity.models import User
from publishing.models import Core
from tests.support.serving import Server

HELD = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
BOUNDED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LIVES_ON = {"DELETE"}  # is not aimed at what the other operations need


@pytest.fixture
def bearer(root: User, key_of: Callable[[User], str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {key_of(root)}"}


@pytest.fixture
def document(lean_server: Server, transactional_db: None) -> Iterator[Any]:
    yield schemathesis.openapi.from_url(f"{lean_server.url}/api/schema/")


def operations(document: Any) -> list[Any]:
    return [found.ok() for found in document.get_all_operations()]


def hold(
    operation: Any,
    bearer: dict[str, str],
    aim: Callable[[Any], None] = lambda case: None,
    mode: GenerationMode = GenerationMode.POSITIVE,
) -> None:
    """Call it with a dozen values, in `mode` of its schema; `aim` lays known names over them."""

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def called(case: Any) -> None:
        aim(case)
        case.validate_response(case.call(headers=bearer, timeout=30), checks=HELD)

    called()


def test_every_operation_answers_an_admin_as_the_document_says(document: Any, bearer: dict[str, str]) -> None:
    for operation in operations(document):
        hold(operation, bearer)


def test_the_same_holds_where_the_names_in_the_url_exist(document: Any, bearer: dict[str, str], echo: Core) -> None:
    known = {
        "core_id": str(echo.pk),
        "flow_id": str(echo.flow_id),
        "name": "scaicore/acme/echo-agent",
        "version": "1.0.0",
        "tenant": "acme",
        "slug": "echo-agent",
    }

    def aim(case: Any) -> None:
        for name in set(case.path_parameters) & set(known):
            case.path_parameters[name] = known[name]
        if isinstance(case.body, dict) and "model" in case.body:
            case.body["model"] = known["name"]

    for operation in operations(document):
        if operation.method.upper() not in LIVES_ON:
            hold(operation, bearer, aim)


def test_what_the_document_does_not_allow_is_answered_as_it_says(
    document: Any, bearer: dict[str, str], echo: Core
) -> None:
    for operation in operations(document):
        if [*operation.iter_parameters()] or operation.body:
            hold(operation, bearer, mode=GenerationMode.NEGATIVE)


def test_without_a_key_every_operation_that_declares_one_answers_401(document: Any) -> None:
    for operation in operations(document):
        names = [parameter.name for parameter in operation.path_parameters]
        answer = operation.Case(path_parameters=dict.fromkeys(names, "x")).call(timeout=30)
        keyed = {"apiKey": []} in operation.definition.raw["security"]
        assert (answer.status_code == 401) == keyed, operation.label


@pytest.fixture
def generated(lean_server: Server, transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a client package that a generator wrote from the document, ready to import."""
    (tmp_path / "openapi.json").write_bytes(httpx.get(f"{lean_server.url}/api/schema/", timeout=30).content)
    tools = Path(sys.executable).parent  # the generator lays its files out by ruff
    flags = ["--path", "openapi.json", "--output-path", "scai_client", "--meta", "none", "--fail-on-warning"]
    written = subprocess.run(
        ["openapi-python-client", "generate", *flags],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert written.returncode == 0, written.stdout + written.stderr
    monkeypatch.syspath_prepend(tmp_path)
    return "scai_client"


def test_a_generated_client_lists_and_calls_models(
    generated: str, lean_server: Server, echo: Core, ann: User, key_of: Callable[[User], str]
) -> None:
    chat, models = (importlib.import_module(f"{generated}.{name}") for name in ("api.chat", "models"))
    create, listing = (
        importlib.import_module(f"{chat.__name__}.{name}") for name in ("create_chat_completion", "list_models")
    )
    client = importlib.import_module(generated).AuthenticatedClient
    says = {"model": "scaicore/acme/echo-agent", "messages": [{"role": "user", "content": "hello"}]}
    with client(base_url=lean_server.url, token=key_of(ann)) as keyed:
        assert [one.id for one in listing.sync(client=keyed).data] == ["scaicore/acme/echo-agent"]
        answer = create.sync(client=keyed, body=models.ChatRequest.from_dict(says))
        assert answer.choices[0].message.content == "hello"
        refused = create.sync(client=keyed, body=models.ChatRequest.from_dict(says | {"model": "scaicore/acme/none"}))
        assert refused.error.code == "model_not_found"

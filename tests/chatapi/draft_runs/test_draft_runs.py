"""`POST /api/v1/flows/{id}/run`: a flow tried before it is deployed, as its admin, without memory."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import requests
from django.utils import timezone

from chatapi.models import UsageRecord
from identity.actors import actor_of
from identity.models import User
from publishing import actions
from publishing.actions.limits import LimitTerms
from publishing.models import Core, Entity, Flow, Turn
from tests.chatapi.test_memory import counter
from tests.conftest import echo_document
from tests.support.serving import Server

Run = Callable[..., requests.Response]


@pytest.fixture
def run(server: Server, transactional_db: None, key_of: Callable[[User], str]) -> Run:
    """Tries a flow as a user."""

    def tried(user: User | None, flow_id: str, **body: Any) -> requests.Response:
        headers = {"authorization": f"Bearer {key_of(user)}"} if user else {}
        return requests.post(f"{server.url}/api/v1/flows/{flow_id}/run", json=body, headers=headers, timeout=20)

    return tried


def events(answer: requests.Response) -> list[tuple[str, Any]]:
    """The events of a stream, each with its data."""
    frames = [frame.split("\n") for frame in answer.text.split("\n\n") if frame.startswith("event")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in frames]


def shouting() -> dict[str, Any]:
    document = echo_document()
    document["nodes"][1]["config"]["template"] = "{{message}}!"
    return document


def recorded(core_id: str) -> list[UsageRecord]:
    """What was counted of this test's flow: the row of an earlier test's last run may come late."""
    until = time.monotonic() + 5
    rows = UsageRecord.objects.filter(core_id=core_id)
    while not rows.exists() and time.monotonic() < until:
        time.sleep(0.02)
    return list(rows)


def test_the_saved_document_runs_before_any_deploy(run: Run, root: User, echo_flow: Flow) -> None:
    answer = run(root, echo_flow.pk, message="hello")
    told = answer.json()
    assert (answer.status_code, told["outcome"], told["response"]) == (200, "ok", "hello")
    assert [(node["id"], node.get("result")) for node in told["nodes"]][-1] == ("reply", "hello")
    assert not Core.objects.exists()


def test_an_unsaved_document_runs_and_is_not_kept(run: Run, root: User, echo: Core, echo_flow: Flow) -> None:
    assert run(root, echo_flow.pk, message="hello", content=shouting()).json()["response"] == "hello!"
    assert run(root, echo_flow.pk, message="hello").json()["response"] == "hello"
    assert (echo_flow.versions.count(), echo.versions.count()) == (1, 1)


def test_a_stream_tells_what_the_nodes_do(run: Run, root: User, echo_flow: Flow) -> None:
    answer = run(root, echo_flow.pk, message="hello", stream=True)
    told = events(answer)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _ in told if name != "text"] == [*["node.started", "node.finished"] * 2, "run.finished"]
    assert "".join(data["text"] for name, data in told if name == "text") == "hello"
    assert told[-1][1]["response"] == "hello"
    assert told[-1][1]["request_id"] == answer.headers["x-request-id"]


def test_a_run_is_counted_as_a_test_of_its_caller(run: Run, root: User, echo: Core, echo_flow: Flow) -> None:
    run(root, echo_flow.pk, message="hello")
    [row] = recorded(echo.pk)
    assert (row.purpose, row.user_id, row.core_id, row.core_version) == ("test", root.pk, echo.pk, 0)


def test_a_run_reads_and_writes_no_live_memory(run: Run, root: User) -> None:
    core = counter(root)
    told = run(root, core.flow_id, message="a", entity_id="e1", state={"count": 6}).json()
    assert told["state"]["count"] == 7
    assert run(root, core.flow_id, message="a", entity_id="e1").json()["state"]["count"] == 1
    assert not Entity.objects.exists()
    assert not Turn.objects.exists()


def test_a_document_with_errors_does_not_run(run: Run, root: User, echo_flow: Flow) -> None:
    answer = run(root, echo_flow.pk, message="hello", content={**echo_document(), "nodes": []})
    told = answer.json()["detail"]
    assert (answer.status_code, told["error"]) == (422, "compile_error")
    assert told["diagnostics"][0]["severity"] == "error"
    assert not UsageRecord.objects.filter(core_id=echo_flow.pk).exists()


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_run_that_fails_says_at_which_node(run: Run, root: User, echo_flow: Flow, is_streamed: bool) -> None:
    document = echo_document()
    document["nodes"][1] |= {"type": "logic_decision", "config": {"style": "if"}}
    document["nodes"].append({**echo_document()["nodes"][1], "id": "never"})
    edge = {"id": "e2", "type": "conditional", "condition": "message == 'never'"}
    document["edges"].append({**edge, "source": {"node": "reply"}, "target": {"node": "never", "port": "in"}})
    answer = run(root, echo_flow.pk, message="hello", content=document, stream=is_streamed)
    told = events(answer)[-1][1] if is_streamed else answer.json()
    assert (told["outcome"], told["error"]["code"]) == ("failed", "core_error"), answer.text
    assert [node["id"] for node in told["nodes"] if node.get("error")] == ["reply"]


@pytest.mark.parametrize(("who", "status"), [("ann", 403), ("bo", 403), ("cy", 404), (None, 401)])
def test_only_those_who_may_edit_the_flow_try_it(
    run: Run, request: pytest.FixtureRequest, echo_flow: Flow, who: str | None, status: int
) -> None:
    user = request.getfixturevalue(who) if who else None
    assert run(user, echo_flow.pk, message="hello").status_code == status


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "messages"), ({"message": "a", "params": {"temperature": 9}}, "temperature"), ({"message": 7}, "message")],
)
def test_bad_input_is_told_in_the_envelope_of_the_api(
    run: Run, root: User, echo_flow: Flow, body: dict[str, Any], field: str
) -> None:
    answer = run(root, echo_flow.pk, **body)
    told = answer.json()["detail"]
    assert answer.status_code in (400, 422)
    assert {"error", "message", "fix"} <= set(told)
    assert told["details"][0]["field"] == field


def test_a_limit_holds_for_tests_too(run: Run, root: User, echo_flow: Flow) -> None:
    terms = LimitTerms(measure="requests", per="day", amount=Decimal(1))
    actions.create_limit(tenant=root.tenant, terms=terms, actor=actor_of(root), at=timezone.now())
    assert run(root, echo_flow.pk, message="a").status_code == 200
    refused = run(root, echo_flow.pk, message="a")
    assert (refused.status_code, refused.json()["detail"]["error"]) == (429, "insufficient_quota")


def test_an_input_of_ones_own_reaches_the_flow(run: Run, root: User, echo_flow: Flow) -> None:
    document = echo_document()
    document["nodes"][1]["config"]["template"] = "{{order.id}}"
    assert run(root, echo_flow.pk, input={"order": {"id": 7}}, content=document).json()["response"] == "7"


def test_each_node_tells_what_it_read(run: Run, root: User, echo_flow: Flow) -> None:
    entry, reply = run(root, echo_flow.pk, message="hello").json()["nodes"]
    assert "input" not in entry
    assert reply["input"] == {"message": "hello"}


def test_a_whole_input_is_answered_as_a_stream_as_well(run: Run, root: User, echo_flow: Flow) -> None:
    answer = run(root, echo_flow.pk, input={"message": "hello"}, stream=True)
    assert events(answer)[-1][1]["response"] == "hello"

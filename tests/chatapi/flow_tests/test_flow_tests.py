"""The tests of a flow: run by hand, and before a deploy where the flow says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.utils import timezone

from chatapi.draft_runs import drafts
from chatapi.flow_tests import runner
from chatapi.flow_tests.runner import Bench
from chatapi.models import UsageRecord
from identity.actors import actor_of
from identity.models import User
from publishing import actions
from publishing.models import Core, Entity, Flow
from tests.chatapi.test_memory import counter
from tests.conftest import echo_document
from tests.support.serving import Server

Ask = Callable[..., requests.Response]
GREETS = {"name": "greets", "message": "hello", "expect": {"equals": "hello"}}
SHOUTS = {"name": "shouts", "message": "hello", "expect": {"contains": "HELLO"}}


@pytest.fixture
def ask(server: Server, transactional_db: None, key_of: Callable[[User], str]) -> Ask:
    """Posts to a URL of a flow as a user."""

    def asked(user: User, flow_id: str, act: str, **body: Any) -> requests.Response:
        headers = {"authorization": f"Bearer {key_of(user)}"}
        return requests.post(f"{server.url}/api/v1/flows/{flow_id}/{act}", json=body, headers=headers, timeout=20)

    return asked


def with_tests(*tests: Any, template: str = "{{message}}", **meta: Any) -> dict[str, Any]:
    document = echo_document(scaiflow_meta=meta)
    document["nodes"][1]["config"]["template"] = template
    return {**document, "tests": list(tests)}


def saved(flow: Flow, owner: User, content: dict[str, Any]) -> None:
    version = flow.saved.version
    actions.save_flow(flow, base_version=version, content=content, actor=actor_of(owner), at=timezone.now())


def test_the_tests_of_the_saved_document_tell_how_they_went(ask: Ask, root: User, echo_flow: Flow) -> None:
    saved(echo_flow, root, with_tests(GREETS, SHOUTS))
    told = ask(root, echo_flow.pk, "run-tests").json()
    assert (told["passed"], told["failed"]) == (1, 1)
    greets, shouts = told["tests"]
    assert (greets["passed"], greets["answer"], greets["unmet"]) == (True, "hello", [])
    assert (shouts["passed"], shouts["answer"], shouts["live_answer"]) == (False, "hello", None)
    assert shouts["message"] == "The answer does not contain “HELLO”."


def test_those_of_an_unsaved_document_run_and_nothing_is_kept(ask: Ask, root: User, echo_flow: Flow) -> None:
    told = ask(root, echo_flow.pk, "run-tests", content=with_tests(GREETS, SHOUTS, template="HELLO"), names=["shouts"])
    assert [(test["name"], test["passed"]) for test in told.json()["tests"]] == [("shouts", True)]
    assert echo_flow.versions.count() == 1


def test_each_is_a_run_of_the_caller_counted_as_a_test(ask: Ask, root: User, echo: Core, echo_flow: Flow) -> None:
    told = ask(root, echo_flow.pk, "run-tests", content=with_tests(GREETS)).json()
    until = time.monotonic() + 5
    mine = UsageRecord.objects.filter(request_id=told["tests"][0]["request_id"])
    while not mine.exists() and time.monotonic() < until:
        time.sleep(0.02)
    run = mine.get()
    assert (run.purpose, run.user_id, run.core_version, run.core_id) == ("test", root.pk, 0, echo.pk)


def test_a_test_begins_with_its_own_memory_and_leaves_none(ask: Ask, root: User) -> None:
    flow = counter(root).flow
    assert flow is not None
    document = flow.saved.content | {
        "tests": [
            {"name": "counts on", "message": "hi", "state": {"count": 41}, "expect": {"equals": "42: hi"}},
            {"name": "begins", "message": "hi", "expect": {"equals": "1: hi"}},
        ]
    }
    assert ask(root, flow.pk, "run-tests", content=document).json()["failed"] == 0
    assert not Entity.objects.exists()


def test_what_cannot_be_run_or_fails_is_no_pass(ask: Ask, root: User, echo_flow: Flow) -> None:
    broken = with_tests({"name": "empty", "message": "x", "expect": {}}, GREETS | {"messages": [{"role": 7}]})
    first, second = ask(root, echo_flow.pk, "run-tests", content=broken).json()["tests"]
    assert "expects nothing" in first["message"]
    assert "It did not run" in second["message"]
    failing = with_tests(GREETS)
    failing["nodes"][1] |= {"type": "data_variable_set", "config": {"variable": "n", "expression": "int(message)"}}
    failing["variables"] = [{"name": "n", "type": "integer"}]
    [test] = ask(root, echo_flow.pk, "run-tests", content=failing).json()["tests"]
    assert test["message"].startswith("Node `reply` failed: The expression could not be evaluated")


def test_nobody_but_an_admin_runs_them(ask: Ask, ann: User, cy: User, echo_flow: Flow) -> None:
    assert [ask(user, echo_flow.pk, "run-tests").status_code for user in (ann, cy)] == [403, 404]


def test_a_document_that_does_not_compile_is_refused(ask: Ask, root: User, echo_flow: Flow) -> None:
    assert ask(root, echo_flow.pk, "run-tests", content={"tests": []}).status_code == 422


def test_a_failing_test_blocks_the_deploy_with_old_and_new_answers(
    ask: Ask, root: User, echo: Core, echo_flow: Flow
) -> None:
    saved(echo_flow, root, with_tests(GREETS, template="{{message}}!", test_before_deploy=True))
    answer = ask(root, echo_flow.pk, "deploy")
    detail = answer.json()["detail"]
    assert (answer.status_code, detail["error"]) == (409, "tests_failed")
    [test] = detail["tests"]
    assert (test["expect"], test["live_answer"], test["answer"]) == ({"equals": "hello"}, "hello", "hello!")
    assert echo.versions.count() == 1


def test_a_deploy_goes_on_when_all_tests_pass(ask: Ask, root: User, echo: Core, echo_flow: Flow) -> None:
    saved(echo_flow, root, with_tests(GREETS, test_before_deploy=True))
    assert ask(root, echo_flow.pk, "deploy").status_code == 200
    assert echo.versions.count() == 2


def test_tests_stand_before_no_deploy_unless_the_flow_says_so(
    ask: Ask, root: User, echo: Core, echo_flow: Flow
) -> None:
    saved(echo_flow, root, with_tests(SHOUTS))
    assert ask(root, echo_flow.pk, "deploy").status_code == 200


def test_the_page_without_scripts_refuses_as_well(client: Any, root: User, echo: Core, echo_flow: Flow) -> None:
    saved(echo_flow, root, with_tests({"name": "odd", "expect": {}}, test_before_deploy=True))
    client.force_login(root)
    page = client.get(f"/flows/{echo_flow.pk}/?plain")
    form = page.context["form"]
    answer = client.post(f"/flows/{echo_flow.pk}/deploy/", {name: form[name].value() or "" for name in form.fields})
    assert "1 of 1 tests failed" in answer.content.decode()
    assert echo.versions.count() == 1


async def test_a_test_that_cannot_begin_in_time_has_failed(
    inside: None, root: User, echo_flow: Flow, settings: LazySettings
) -> None:
    settings.RUN_DEADLINE_S = 0.0
    who = {"user_id": root.pk, "key_id": ""}
    program = await sync_to_async(drafts.compile_draft)(echo_flow, with_tests(), **who)
    [tried] = await runner.run(Bench(program, [GREETS]))
    assert (tried.name, tried.passed, tried.message) == ("greets", False, runner.TOO_LATE)

"""`/api/v1/runs`: every run with its cause, for its caller and the tenant's admin."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db.models.functions import Now

from chatapi.models import RunTrace, UsageRecord
from identity.models import User
from publishing.models import Core
from tests.chatapi.test_memory import counter
from tests.support.chat_calls import call, hello
from tests.support.serving import Server
from tests.webui.test_run_pages import ran, traced

KeyOf = Callable[[User], str]
NAME = "scaicore/acme/counter"


def asked(server: Server, key: str, path: str = "", **query: Any) -> Any:
    headers = {"authorization": f"Bearer {key}"}
    return requests.get(f"{server.url}/api/v1/runs{path}", params=query, headers=headers, timeout=30)


def counted(server: Server, key: str, count: int = 1, **more: Any) -> str:
    """Call the counter, and wait until `count` runs are written; the request id."""
    answer = call(server, key, hello(model=NAME, entity_id="c-1", **more))
    until = time.monotonic() + 5
    while UsageRecord.objects.count() < count and time.monotonic() < until:
        time.sleep(0.02)
    return answer.headers["x-request-id"]


def test_a_failed_answers_request_id_finds_its_run_with_the_cause(
    server: Server, root: User, ann: User, key_of: KeyOf
) -> None:
    core = counter(root, expression="int(state.count) + int(message)")
    request_id = counted(server, key_of(ann))
    run = asked(server, key_of(root), f"/{request_id}").json()
    assert (run["core_id"], run["user_id"], run["outcome"]) == (core.pk, ann.pk, "failed")
    assert (run["reason"], run["node_id"]) == ("expression_failed", "count")
    assert run["message"].startswith("The expression could not be evaluated")
    assert (run["nodes"], run["input"]) == (None, None)


def test_a_traced_run_keeps_what_was_asked(server: Server, root: User, ann: User, key_of: KeyOf) -> None:
    counter(root, tracing=True)
    key = key_of(ann)
    run = asked(server, key, f"/{counted(server, key)}").json()
    assert run["input"]["message"] == "hello"
    assert [node["id"] for node in run["nodes"]] == ["entry", "count", "reply"]
    assert (run["reason"], run["message"]) == ("", "It was answered.")


def test_a_long_question_is_not_kept(server: Server, root: User, ann: User, key_of: KeyOf) -> None:
    counter(root, tracing=True)
    key = key_of(ann)
    counted(server, key, messages=[{"role": "user", "content": "x" * 40_000}])
    assert RunTrace.objects.get().input is None


def test_only_the_caller_and_an_admin_find_a_run(
    server: Server, root: User, ann: User, bo: User, cy: User, key_of: KeyOf
) -> None:
    counter(root)
    request_id = counted(server, key_of(ann))
    people = (root, ann, bo, cy)
    assert [len(asked(server, key_of(user)).json()["items"]) for user in people] == [1, 1, 0, 0]
    assert [asked(server, key_of(user), f"/{request_id}").status_code for user in people] == [200, 200, 404, 404]


def test_every_condition_that_is_sent_must_hold(server: Server, root: User, ann: User, key_of: KeyOf) -> None:
    counter(root)
    key = key_of(root)
    counted(server, key_of(ann), 1)
    counted(server, key, 2)
    UsageRecord.objects.filter(user_id=ann.pk).update(outcome="failed", at=Now() - timedelta(days=2))
    for query, count in (
        ({"outcome": "errors"}, 1),
        ({"outcome": "ok"}, 1),
        ({"outcome": "errors", "caller": "root@acme.test"}, 0),
        ({"caller": ann.pk}, 1),
        ({"core": "counter"}, 2),
        ({"core": "echo-agent"}, 0),
        ({"purpose": "webhook"}, 0),
        ({"since": (UsageRecord.objects.latest("at").at - timedelta(hours=1)).isoformat()}, 1),
    ):
        assert len(asked(server, key, **query).json()["items"]) == count, query


def test_pages_follow_each_other(server: Server, root: User, key_of: KeyOf) -> None:
    counter(root)
    key = key_of(root)
    ids = [counted(server, key, number) for number in (1, 2, 3)]
    first = asked(server, key, limit=2).json()
    second = asked(server, key, limit=2, cursor=first["next_cursor"]).json()
    assert [run["request_id"] for run in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("query", [{"outcome": "odd"}, {"cursor": "bm8"}, {"since": "soon"}, {"limit": 0}])
def test_an_unusable_condition_is_refused(server: Server, root: User, key_of: KeyOf, query: dict[str, Any]) -> None:
    assert asked(server, key_of(root), **query).status_code == 422


def test_what_a_user_asked_goes_with_the_user(ann: User, bo: User, echo: Core) -> None:
    for user in (ann, bo):
        traced(ran(echo, user.pk, f"req_{user.pk}"), [], input={"message": "private"})
    kept = bo.pk
    ann.delete()
    assert [trace.user_id for trace in RunTrace.objects.all()] == [kept]
    assert UsageRecord.objects.count() == 2

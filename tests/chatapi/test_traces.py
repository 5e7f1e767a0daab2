"""Run traces: kept where the flow asks for them, seen by their caller and the tenant's admin, pruned by age."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests
from asgiref.sync import sync_to_async
from django.conf import LazySettings

from chatapi import retention
from chatapi.models import RunTrace
from identity.models import User
from publishing.models import Core, Entity, Turn
from tests.chatapi.test_memory import NAME, counter
from tests.support.chat_calls import call, hello
from tests.support.serving import Server

KeyOf = Callable[[User], str]


def traced(server: Server, key: str, core: Core, path: str = "") -> requests.Response:
    url = f"{server.url}/v1/modules/scaicore/cores/{core.pk}/runs{path}"
    return requests.get(url, headers={"authorization": f"Bearer {key}"}, timeout=30)


def called(server: Server, key: str) -> str:
    answer = call(server, key, hello(model=NAME, entity_id="c-1"))
    until = time.monotonic() + 5
    while not RunTrace.objects.exists() and time.monotonic() < until:
        time.sleep(0.02)
    return answer.headers["x-request-id"]


def test_a_traced_run_tells_what_each_node_did(server: Server, root: User, ann: User, key_of: KeyOf) -> None:
    core, key = counter(root, tracing=True), key_of(ann)
    run: dict[str, Any] = traced(server, key, core, f"/{called(server, key)}").json()["data"]
    assert [(node["id"], node["kind"]) for node in run["nodes"]] == [
        ("entry", "entry_api"),
        ("count", "data_variable_set"),
        ("reply", "llm_rigid"),
    ]
    assert run["nodes"][2]["result"] == "1: hello"
    assert all(node["duration_ms"] >= 0 and node["started_ms"] >= 0 for node in run["nodes"])
    assert (run["outcome"], run["core_version"]) == ("ok", 1)


def test_only_the_caller_and_an_admin_see_a_run(server: Server, root: User, ann: User, bo: User, key_of: KeyOf) -> None:
    core, anns = counter(root, tracing=True), key_of(ann)
    path = f"/{called(server, anns)}"
    assert [traced(server, key_of(user), core, path).status_code for user in (root, bo)] == [200, 404]
    assert [len(traced(server, key_of(user), core).json()["data"]["items"]) for user in (root, ann, bo)] == [1, 1, 0]


def test_nothing_is_kept_where_the_flow_does_not_ask(server: Server, root: User, ann: User, key_of: KeyOf) -> None:
    counter(root)
    call(server, key_of(ann), hello(model=NAME, entity_id="c-1"))
    time.sleep(0.3)
    assert not RunTrace.objects.exists()


async def test_what_is_old_is_pruned_and_what_is_young_stays(
    inside: None, echo: Core, anns_key: str, settings: LazySettings
) -> None:
    stamps = [("old", "2000-01-01T00:00Z"), ("young", "2999-01-01T00:00Z")]
    for name, at in stamps:
        await _trace(name, at)
        await _keyed_call(echo, name, at)
    await retention.prune()
    assert await sync_to_async(lambda: [trace.request_id for trace in RunTrace.objects.all()])() == ["young"]
    assert await sync_to_async(lambda: [entity.entity_id for entity in Entity.objects.all()])() == ["young"]
    assert await sync_to_async(Turn.objects.count)() == 1


@sync_to_async
def _trace(name: str, at: str) -> None:
    RunTrace.objects.create(
        at=at,
        request_id=name,
        tenant_id="acme",
        user_id="u",
        core_id="c",
        core_version=1,
        outcome="ok",
        duration_ms=1,
        nodes=[],
    )


@sync_to_async
def _keyed_call(core: Core, name: str, at: str) -> None:
    entity = Entity.objects.create(
        core=core, partition="call", owner="u", entity_id=name, turns_committed=1, created_at=at, updated_at=at
    )
    Turn.objects.create(
        entity=entity,
        number=1,
        request_id=name,
        user_id="u",
        core_version=1,
        message="",
        response="",
        prompt_tokens=0,
        completion_tokens=0,
        fingerprint=b"x" * 32,
        idempotency_key=name,
        created_at=at,
    )

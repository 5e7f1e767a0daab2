"""Cores that keep memory, called over the wire."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.utils import timezone

from identity import actors
from identity.models import User
from publishing import actions
from publishing.models import Core, Entity, Turn
from tests.conftest import echo_document
from tests.support.chat_calls import call, error, frames, hello
from tests.support.serving import Server

KeyOf = Callable[[User], str]
NAME = "scaicore/acme/counter"


def counter(owner: User, *, expression: str = "int(state.count) + 1", **meta: str | bool) -> Core:
    """A Core that counts its turns and says so: `1: hello`."""
    document = echo_document(scaiflow_meta={"instance_mode": "entity", **meta})
    entry, reply = document["nodes"]
    count = {
        "id": "count",
        "type": "data_variable_set",
        "label": "Count",
        "position": {"x": 120, "y": 0},
        "config": {"variable": "count", "expression": expression},
    }
    reply["config"]["template"] = "{{state.count}}: {{message}}"
    document["nodes"] = [entry, count, reply]
    ends = [("entry", "count"), ("count", "reply")]
    document["edges"] = [
        {"id": f"e{n}", "type": "sequential", "source": {"node": a}, "target": {"node": b}}
        for n, (a, b) in enumerate(ends)
    ]
    document["variables"] = [{"name": "count", "type": "integer", "default": 0}]
    actor, at = actors.actor_of(owner), timezone.now()
    flow = actions.create_flow(tenant=owner.tenant, name="Counter", content=document, actor=actor, at=at)
    return actions.deploy(flow, actor=actor, at=at).core


def said(server: Server, key: str, entity_id: str | None = "c-1", **headers: str) -> str:
    fields: dict[str, Any] = {"model": NAME} | ({"entity_id": entity_id} if entity_id else {})
    answer = call(server, key, hello(**fields), **headers)
    assert answer.status_code == 200, answer.text
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


def test_memory_persists_across_calls_and_is_kept_apart_by_entity_and_user(
    server: Server, root: User, ann: User, bo: User, key_of: KeyOf
) -> None:
    counter(root)
    anns, bos = key_of(ann), key_of(bo)
    assert [said(server, anns), said(server, anns), said(server, anns, "c-2"), said(server, bos)] == [
        "1: hello",
        "2: hello",
        "1: hello",
        "1: hello",
    ]


def test_the_tenants_memory_is_shared_by_its_users(
    server: Server, root: User, ann: User, bo: User, key_of: KeyOf
) -> None:
    counter(root, entity_scope="tenant")
    assert [said(server, key_of(ann)), said(server, key_of(bo))] == ["1: hello", "2: hello"]


def test_a_singleton_has_one_memory_for_all(server: Server, root: User, ann: User, bo: User, key_of: KeyOf) -> None:
    counter(root, instance_mode="singleton")
    assert [said(server, key_of(ann), None), said(server, key_of(bo), "ignored")] == ["1: hello", "2: hello"]


def test_the_header_names_the_entity_when_the_body_does_not(
    server: Server, root: User, ann: User, key_of: KeyOf
) -> None:
    counter(root)
    key = key_of(ann)
    assert said(server, key, "c-1") == "1: hello"
    assert said(server, key, None, **{"x-entity-id": "c-1"}) == "2: hello"


def test_a_missing_entity_is_400(server: Server, root: User, ann: User, key_of: KeyOf) -> None:
    counter(root)
    answer = call(server, key_of(ann), hello(model=NAME))
    assert answer.status_code == 400
    assert (error(answer)["code"], error(answer)["param"]) == ("missing_required_parameter", "entity_id")


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_sdk_retry_adds_no_second_turn(
    server: Server, root: User, ann: User, key_of: KeyOf, is_streamed: bool
) -> None:
    core = counter(root)
    key, body = key_of(ann), hello(model=NAME, entity_id="c-1", stream=is_streamed)
    first = call(server, key, body, **{"x-stainless-retry-count": "0"})
    retry = call(server, key, body, **{"x-stainless-retry-count": "1"})
    if is_streamed:
        assert frames(retry)[1]["choices"][0]["delta"]["content"] == "1: hello"
        assert frames(retry)[-1] == "[DONE]"
    else:
        assert retry.json()["choices"] == first.json()["choices"]
    assert Turn.objects.filter(entity__core=core).count() == 1
    assert call(server, key, body, **{"x-stainless-retry-count": "0"}).status_code == 200
    assert Turn.objects.filter(entity__core=core).count() == 2


def test_an_idempotency_key_is_answered_once_and_refuses_another_body(
    server: Server, root: User, ann: User, bo: User, echo: Core, key_of: KeyOf
) -> None:
    key, header = key_of(ann), {"idempotency-key": "order-7"}
    first, again = call(server, key, **header), call(server, key, **header)
    assert first.json()["choices"] == again.json()["choices"]
    assert Turn.objects.count() == 1
    other = call(server, key, hello(messages=[{"role": "user", "content": "other"}]), **header)
    assert (other.status_code, error(other)["code"]) == (422, "idempotency_mismatch")
    assert call(server, key_of(bo), **header).status_code == 200


def test_concurrent_turns_of_one_entity_are_all_counted_in_order(
    server: Server, root: User, ann: User, key_of: KeyOf
) -> None:
    core = counter(root)
    key = key_of(ann)
    with ThreadPoolExecutor(16) as pool:
        answers = sorted(pool.map(lambda _: int(said(server, key).partition(":")[0]), range(32)))
    assert answers == list(range(1, 33))
    assert Entity.objects.get(core=core).state == {"count": 32}
    told = Turn.objects.filter(entity__core=core).order_by("number").values_list("number", "response")
    assert [f"{number}: hello" for number, _ in told] == [response for _, response in told]


def test_a_busy_entity_is_409_and_says_when_to_try_again(server: Server, root: User, ann: User, key_of: KeyOf) -> None:
    core = counter(root)
    key = key_of(ann)
    said(server, key)
    Entity.objects.filter(core=core).update(lease="theirs", lease_until="2999-01-01T00:00Z")
    answer = call(server, key, hello(model=NAME, entity_id="c-1"))
    assert (answer.status_code, error(answer)["code"]) == (409, "entity_busy")
    assert answer.headers["retry-after"] == "1"


def test_an_entity_id_that_no_memory_needs_is_named_as_ignored(
    server: Server, ann: User, echo: Core, key_of: KeyOf
) -> None:
    assert call(server, key_of(ann), hello(entity_id="c-1")).headers["x-scai-ignored-params"] == "entity_id"

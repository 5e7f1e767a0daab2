"""Stored responses: the caller's own, kept for a while, gone with the user; and conversations that go on from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from chatapi import retention
from chatapi.models import StoredResponse
from identity import actors, keys, users
from identity.models import User
from publishing.db import pool
from publishing.models import Core
from tests.support.chat_calls import error
from tests.support.response_calls import ask, create, events, hello, text_of, whole
from tests.support.serving import Server, serving
from tests.support.thinking_flows import deployed, node

KeyOf = Callable[[User], str]
PATHS = [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")]


@pytest.fixture
def first(server: Server, anns: str) -> str:
    """The id of a response of Ann's."""
    return str(whole(create(server, anns))["id"])


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_nobody_else_finds_it(
    server: Server, first: str, bo: User, cy: User, key_of: KeyOf, method: str, path: str
) -> None:
    for key in (key_of(bo), key_of(cy)):
        answer = ask(server, key, method, f"/{first}{path}")
        unknown = ask(server, key, method, f"/resp_0{path}")
        assert (answer.status_code, error(answer)) == (404, error(unknown))
    assert ask(server, None, method, f"/{first}{path}").status_code == 401
    assert StoredResponse.objects.filter(pk=first).exists()


def test_nobody_else_goes_on_from_it(server: Server, first: str, bo: User, key_of: KeyOf) -> None:
    for response_id in (first, "resp_0", ""):
        answer = create(server, key_of(bo), hello(previous_response_id=response_id))
        found = error(answer)
        assert (answer.status_code, found["code"], found["param"]) == (
            404,
            "response_not_found",
            "previous_response_id",
        )
    assert StoredResponse.objects.count() == 1


def test_a_deleted_one_is_gone_for_reading_and_for_going_on(server: Server, anns: str, first: str) -> None:
    second = whole(create(server, anns, hello(previous_response_id=first)))["id"]
    deleted = ask(server, anns, "DELETE", f"/{first}")
    assert deleted.json() == {"id": first, "object": "response", "deleted": True}
    assert ask(server, anns, "GET", f"/{first}").status_code == 404
    assert ask(server, anns, "DELETE", f"/{first}").status_code == 404
    for response_id in (first, second):
        assert create(server, anns, hello(previous_response_id=response_id)).status_code == 404


def test_one_that_is_under_way_is_409_until_no_run_may_take_that_long(server: Server, anns: str, first: str) -> None:
    StoredResponse.objects.update(status="in_progress")
    answer = create(server, anns, hello(previous_response_id=first))
    assert (answer.status_code, error(answer)["code"]) == (409, "response_in_progress")
    assert ask(server, anns, "GET", f"/{first}").json()["status"] == "in_progress"
    StoredResponse.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert ask(server, anns, "GET", f"/{first}").json()["status"] == "failed"
    answer = create(server, anns, hello(previous_response_id=first))
    assert (answer.status_code, error(answer)["param"]) == (400, "previous_response_id")


def test_a_conversation_that_is_larger_than_a_request_is_not_gone_on_from(
    server: Server, anns: str, first: str
) -> None:
    second = whole(create(server, anns, hello(previous_response_id=first)))["id"]
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 11_000_000}]}
    StoredResponse.objects.update(input=[said])
    for response_id in (second, first):
        StoredResponse.objects.filter(pk=first).update(input=[said, said])
        answer = create(server, anns, hello(previous_response_id=response_id))
        assert (answer.status_code, error(answer)["code"]) == (400, "context_length_exceeded")
        assert "Begin anew" in error(answer)["message"]


def test_an_earlier_one_of_another_model_is_the_callers_all_the_same(
    server: Server, anns: str, first: str, root: User
) -> None:
    deployed(root, "Other", node("reply", "llm_rigid", template="{{message}}!", result_binding="response"))
    found = whole(create(server, anns, hello(model="scaicore/acme/other", previous_response_id=first)))
    assert (text_of(found), found["previous_response_id"]) == ("hello!", first)


def test_what_shall_not_be_stored_is_not(server: Server, anns: str) -> None:
    made = whole(create(server, anns, hello(store=False)))
    *_, last = events(create(server, anns, hello(store=False, stream=True)))
    assert (made["store"], last["response"]["store"]) == (False, False)
    assert not StoredResponse.objects.exists()
    assert create(server, anns, hello(previous_response_id=made["id"])).status_code == 404


def test_the_operator_may_have_nothing_stored(server: Server, anns: str, first: str) -> None:
    with serving(STORED_DAYS="0") as other:
        assert whole(create(other, anns, hello(store=True)))["store"] is False
        assert create(other, anns, hello(previous_response_id=first)).status_code == 404
        assert ask(other, anns, "GET", f"/{first}").status_code == 404
        assert not StoredResponse.objects.exists()  # what was there before went with the first pruning


def test_it_goes_with_its_user(server: Server, first: str, ann: User, root: User) -> None:
    users.delete_user(ann, actor=actors.actor_of(root), at=timezone.now())
    assert not StoredResponse.objects.exists()


async def test_it_is_pruned_by_age(inside: None, settings: LazySettings) -> None:
    for days in (1, 29, 31):
        await StoredResponse.objects.acreate(
            id=f"resp_{days}",
            user_id="user_1",
            model="m",
            status="completed",
            input=[],
            response={},
            created_at=timezone.now() - timedelta(days=days),
        )
    await retention.prune()
    assert [row.pk async for row in StoredResponse.objects.order_by("-created_at")] == ["resp_1", "resp_29"]
    await pool.close()


def test_what_is_too_old_is_gone_before_it_is_pruned(server: Server, anns: str, first: str) -> None:
    StoredResponse.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert ask(server, anns, "GET", f"/{first}").status_code == 404
    assert create(server, anns, hello(previous_response_id=first)).status_code == 404


def test_a_limited_key_reads_and_goes_on_from_its_own_models_alone(
    server: Server, first: str, ann: User, echo: Core
) -> None:
    named: Any = {"name": "k", "actor": actors.actor_of(ann), "at": timezone.now()}
    _, other = keys.mint(user=ann, models=["scaicore/acme/other"], **named)
    _, same = keys.mint(user=ann, models=["scaicore/acme/echo-agent"], **named)
    assert ask(server, other, "GET", f"/{first}").status_code == 404
    assert create(server, other, hello(previous_response_id=first)).status_code == 404
    assert ask(server, same, "GET", f"/{first}").status_code == 200


def test_the_input_is_listed_in_pages(server: Server, anns: str) -> None:
    given: list[Any] = [{"role": "user", "content": text} for text in "abc"]
    made = whole(create(server, anns, hello(input=given)))["id"]

    def page(query: str) -> tuple[list[str], bool, str]:
        found = ask(server, anns, "GET", f"/{made}/input_items{query}").json()
        return [item["content"][0]["text"] for item in found["data"]], found["has_more"], found["last_id"]

    assert page("")[:2] == (["c", "b", "a"], False)
    texts, has_more, last = page("?limit=2&order=asc")
    assert (texts, has_more) == (["a", "b"], True)
    assert page(f"?limit=2&order=asc&after={last}")[:2] == (["c"], False)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=²", "order=up", "after=msg_none"])
def test_a_query_that_cannot_be_used_is_400(server: Server, anns: str, first: str, query: str) -> None:
    answer = ask(server, anns, "GET", f"/{first}/input_items?{query}")
    assert (answer.status_code, error(answer)["param"]) == (400, query.partition("=")[0])


def test_an_item_that_is_only_referred_to_is_found_by_its_id(
    server: Server, anns: str, bo: User, key_of: KeyOf
) -> None:
    made = whole(create(server, anns, hello(input="a secret")))
    item = made["output"][0]["id"]
    [said] = ask(server, anns, "GET", f"/{made['id']}/input_items").json()["data"]
    given = [{"type": "item_reference", "id": said["id"]}, {"type": "item_reference", "id": item}]
    assert text_of(whole(create(server, anns, hello(input=given)))) == "a secret"
    answer = create(server, key_of(bo), hello(input=given))
    assert (answer.status_code, error(answer)["param"]) == (404, "input[0]")


def test_an_idempotency_key_gives_the_answer_again_and_runs_nothing(server: Server, anns: str) -> None:
    made = [create(server, anns, **{"idempotency-key": "one"}) for _ in range(2)]
    assert [text_of(whole(answer)) for answer in made] == ["hello", "hello"]
    other = create(server, anns, hello(input="else"), **{"idempotency-key": "one"})
    assert (other.status_code, error(other)["code"]) == (422, "idempotency_mismatch")


def test_reading_a_stream_again_is_refused(server: Server, anns: str, first: str) -> None:
    answer = ask(server, anns, "GET", f"/{first}?stream=true")
    assert (answer.status_code, error(answer)["param"]) == (400, "stream")


def test_the_wrong_method_is_405(server: Server, anns: str, first: str) -> None:
    for method, path in (("GET", ""), ("PUT", f"/{first}"), ("GET", f"/{first}/cancel")):
        assert ask(server, anns, method, path).status_code == 405

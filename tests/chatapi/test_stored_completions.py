"""Completions that were stored by `store: true`: the caller's own, whole and streamed, listed, labelled, deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone
from openai import NotFoundError, OpenAI

from chatapi.models import StoredCompletion
from identity import actors, keys, users
from identity.models import User
from publishing.models import Core
from tests.support import openai_schemas
from tests.support.chat_calls import HELLO, call, error, frames, hello
from tests.support.serving import Server, serving

KeyOf = Callable[[User], str]
NAME = HELLO["model"]
SAY: list[Any] = HELLO["messages"]


@pytest.fixture
def anns(ann: User, echo: Core, key_of: KeyOf) -> str:
    """Ann's key, who may call the echo."""
    return key_of(ann)


def client(server: Server, key: str) -> OpenAI:
    return OpenAI(base_url=server.v1, api_key=key, max_retries=0, _strict_response_validation=True)


def ask(server: Server, key: str | None, method: str, path: str, **more: Any) -> requests.Response:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return requests.request(method, f"{server.v1}/chat/completions{path}", headers=headers, timeout=30, **more)


def test_the_sdk_makes_reads_labels_lists_and_deletes_one(server: Server, anns: str) -> None:
    completions = client(server, anns).chat.completions
    made = completions.create(model=NAME, messages=SAY, store=True, metadata={"a": "1"})
    found = completions.retrieve(made.id)
    assert (found.to_dict(), found.metadata) == ({**made.to_dict(), "metadata": {"a": "1"}}, {"a": "1"})
    assert completions.update(made.id, metadata={"b": "2"}).metadata == {"b": "2"}
    assert [each.id for each in completions.list()] == [made.id]
    assert completions.delete(made.id).deleted
    with pytest.raises(NotFoundError):
        completions.retrieve(made.id)


def test_a_stream_is_stored_whole_under_its_own_id(server: Server, anns: str) -> None:
    answer = call(server, anns, hello(store=True, stream=True))
    stored = ask(server, anns, "GET", f"/{frames(answer)[0]['id']}").json()
    assert (stored["object"], stored["choices"][0]["message"]["content"]) == ("chat.completion", "hello")
    openai_schemas.check(stored, "CreateChatCompletionResponse")
    assert "x-scai-ignored-params" not in answer.headers


@pytest.mark.parametrize("fields", [{}, {"store": False}, {"store": None}])
def test_nothing_is_stored_unless_the_caller_says_so(server: Server, anns: str, fields: dict[str, Any]) -> None:
    call(server, anns, hello(**fields))
    call(server, anns, hello(stream=True, **fields))
    assert not StoredCompletion.objects.exists()


def test_a_call_that_fails_is_not_stored(server: Server, anns: str) -> None:
    assert call(server, anns, hello(store=True, model="scaicore/acme/none")).status_code == 404
    assert not StoredCompletion.objects.exists()


def test_the_operator_may_have_nothing_stored(transactional_db: None, anns: str) -> None:
    with serving(STORED_DAYS="0") as server:
        answer = call(server, anns, hello(store=True))
        assert (answer.status_code, answer.headers["x-scai-ignored-params"]) == (200, "store")
        assert ask(server, anns, "GET", f"/{answer.json()['id']}").status_code == 404
        assert ask(server, anns, "GET", "").json()["data"] == []
    assert not StoredCompletion.objects.exists()


@pytest.fixture
def made(server: Server, anns: str) -> str:
    """The id of a completion that Ann has stored."""
    return str(call(server, anns, hello(store=True)).json()["id"])


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", ""), ("GET", "/messages"), ("POST", "/messages")]
)
def test_nobody_else_finds_it(
    server: Server, made: str, bo: User, cy: User, key_of: KeyOf, method: str, path: str
) -> None:
    if (method, path) == ("POST", "/messages"):
        assert ask(server, key_of(bo), method, f"/{made}{path}").status_code == 405
        return
    for key in (key_of(bo), key_of(cy)):
        answer = ask(server, key, method, f"/{made}{path}", json={"metadata": {}})
        assert (answer.status_code, error(answer)["code"]) == (404, "completion_not_found")
        assert ask(server, key, "GET", "").json()["data"] == []
    assert ask(server, None, method, f"/{made}{path}", json={"metadata": {}}).status_code == 401
    assert StoredCompletion.objects.filter(pk=made).exists()


def test_it_goes_with_its_user_and_by_age(server: Server, made: str, anns: str, ann: User, root: User) -> None:
    StoredCompletion.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert ask(server, anns, "GET", f"/{made}").status_code == 404
    users.delete_user(ann, actor=actors.actor_of(root), at=timezone.now())
    assert not StoredCompletion.objects.exists()


def test_the_list_is_filtered_ordered_and_paged(server: Server, anns: str) -> None:
    ids = [call(server, anns, hello(store=True, metadata={"n": str(n % 2)})).json()["id"] for n in range(3)]

    def page(query: str) -> tuple[list[int], bool]:
        found = ask(server, anns, "GET", f"?{query}").json()
        openai_schemas.check(found, "ChatCompletionList")
        return [ids.index(each["id"]) for each in found["data"]], found["has_more"]

    assert page("") == ([0, 1, 2], False)
    assert page("limit=2&order=desc") == ([2, 1], True)
    assert page(f"order=desc&after={ids[1]}") == ([0], False)
    assert page(f"limit=1&after={ids[0]}") == ([1], True)
    assert page("metadata[n]=0") == ([0, 2], False)
    assert page("metadata[n]=0&metadata[m]=1") == ([], False)
    assert page(f"model={NAME}") == ([0, 1, 2], False)
    assert page("model=scaicore/acme/none") == ([], False)


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "order=up", "after=chatcmpl-none"])
def test_a_query_that_cannot_be_used_is_400(server: Server, anns: str, query: str) -> None:
    answer = ask(server, anns, "GET", f"?{query}")
    assert (answer.status_code, error(answer)["param"]) == (400, query.partition("=")[0])


def test_the_messages_are_listed_with_ids(server: Server, anns: str) -> None:
    parts = [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]
    messages = [{"role": "system", "content": "a"}, {"role": "user", "content": parts}]
    made = call(server, anns, hello(store=True, messages=messages)).json()["id"]
    found = ask(server, anns, "GET", f"/{made}/messages").json()
    shown = [(each["role"], each["content"], each["content_parts"]) for each in found["data"]]
    assert shown == [("system", "a", None), ("user", "b\nc", parts)]
    page = ask(server, anns, "GET", f"/{made}/messages?order=desc&limit=1").json()
    assert ([each["id"] for each in page["data"]], page["has_more"]) == ([found["data"][1]["id"]], True)


BAD_LABELS: dict[str, tuple[Any, str]] = {
    "none": ({}, "metadata"),
    "a number": ({"metadata": {"a": 1}}, "metadata"),
    "a list": ({"metadata": []}, "metadata"),
    "17 pairs": ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
}


@pytest.mark.parametrize("name", BAD_LABELS)
def test_a_label_that_cannot_be_used_changes_nothing(server: Server, anns: str, made: str, name: str) -> None:
    body, param = BAD_LABELS[name]
    answer = ask(server, anns, "POST", f"/{made}", json=body)
    assert (answer.status_code, error(answer)["param"]) == (400, param)
    assert StoredCompletion.objects.get().metadata == {}


def test_a_limited_key_finds_its_own_models_alone(server: Server, made: str, ann: User) -> None:
    named: Any = {"name": "k", "actor": actors.actor_of(ann), "at": timezone.now()}
    _, other = keys.mint(user=ann, models=["scaicore/acme/other"], **named)
    _, same = keys.mint(user=ann, models=[NAME], **named)
    assert ask(server, other, "GET", f"/{made}").status_code == 404
    assert [len(ask(server, key, "GET", "").json()["data"]) for key in (other, same)] == [0, 1]

"""`POST /v1/modules/scaicore/cores/{id}/invoke`: the chat's decision and run, the module's envelope."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.utils import timezone

from chatapi import invocations, usage
from chatapi.models import UsageRecord
from identity.actors import actor_of
from identity.models import User
from publishing import actions
from publishing.models import Core
from tests.chatapi.test_memory import counter, said
from tests.conftest import echo_document
from tests.support.serving import Server

HELLO = {"input": {"message": "hello"}}


@pytest.fixture
def cores(lean_server: Server, transactional_db: None) -> str:
    return f"{lean_server.url}/v1/modules/scaicore/cores"


@pytest.fixture
def call(cores: str, key_of: Callable[[User], str]) -> Callable[..., requests.Response]:
    """Invokes a Core as a user; bytes go as they are."""

    def called(user: User | None, core_id: str, body: Any = HELLO, **headers: str) -> requests.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        key = {"authorization": f"Bearer {key_of(user)}"} if user else {}
        sent = {"content-type": "application/json", **key, **headers}
        return requests.post(f"{cores}/{core_id}/invoke", data=data, headers=sent, timeout=20)

    return called


def code(answer: requests.Response) -> tuple[int, str]:
    told = answer.json()
    assert set(told) == {"status", "error", "meta"}
    assert set(told["error"]) == {"code", "message", "details"}
    assert told["meta"]["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, told["error"]["code"]


def test_an_invocation_gives_the_flows_output(call: Any, ann: User, echo: Core) -> None:
    answer = call(ann, echo.pk)
    told = answer.json()["data"]
    assert (answer.status_code, told["output"]["response"]) == (200, "hello")
    assert (told["core_id"], told["version"]) == (echo.pk, 1)
    assert told["usage"]["total_tokens"] == told["usage"]["prompt_tokens"] + told["usage"]["completion_tokens"]
    assert answer.json()["meta"]["request_id"] == answer.headers["x-request-id"]


def test_the_flow_finds_what_was_sent_under_its_own_names(call: Any, ann: User, root: User) -> None:
    document = echo_document()
    document["nodes"][1]["config"]["template"] = "{{order.id}} for {{message}}"
    actor, at = actor_of(root), timezone.now()
    core = actions.create_core(tenant=root.tenant, name="Order", content=document, actor=actor, at=at)
    actions.publish(core, actor=actor, at=at)
    told = call(ann, core.pk, {"input": {"order": {"id": 7}, "message": "Ann"}}).json()
    assert told["data"]["output"]["response"] == "7 for Ann"


def test_who_may_invoke_is_who_may_chat(
    call: Any, narrow_echo: Core, ann: User, bo: User, cy: User, root: User
) -> None:
    assert call(ann, narrow_echo.pk).status_code == 200
    for outsider in (bo, root):
        assert code(call(outsider, narrow_echo.pk)) == (403, "AUTHZ_PERMISSION_DENIED")
    assert code(call(cy, narrow_echo.pk)) == (404, "CORE_NOT_FOUND")


def test_unknown_foreign_and_unpublished_cores_read_the_same(
    call: Any, echo: Core, cy: User, ann: User, root: User
) -> None:
    foreign, unknown = call(cy, echo.pk), call(ann, "core_none")
    actions.unpublish(echo, actor=actor_of(root), at=timezone.now())
    answers = [foreign, unknown, call(ann, echo.pk), call(ann, "core%00")]
    assert {code(answer) for answer in answers} == {(404, "CORE_NOT_FOUND")}
    assert len({answer.json()["error"]["message"] for answer in answers}) == 1


def test_a_stranger_is_asked_for_a_key_and_told_nothing_else(call: Any, echo: Core) -> None:
    for core_id, body in [(echo.pk, HELLO), ("core_none", HELLO), (echo.pk, b"{")]:
        answer = call(None, core_id, body)
        assert code(answer) == (401, "AUTH_TOKEN_MISSING")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert code(call(None, echo.pk, authorization="Bearer sgk_x")) == (401, "AUTH_TOKEN_INVALID")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"1",
        b"null",
        b"{",
        b"[" * 100_000,
        b'{"input": NaN}',
        b'{"input": {"message": "\\ud800"}}',
        {},
        {"input": None},
        {"input": []},
        {"input": "hi"},
        {"input": {}, "entity_id": 7},
        {"input": {}, "entity_id": ""},
    ],
    ids=lambda body: str(body)[:30],
)
def test_a_bad_body_is_422_and_names_the_field(call: Any, ann: User, echo: Core, body: Any) -> None:
    answer = call(ann, echo.pk, body)
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"][0]["message"]


def test_other_refusals_speak_the_envelope_too(call: Any, cores: str, ann: User, echo: Core) -> None:
    form = call(ann, echo.pk, **{"content-type": "application/x-www-form-urlencoded"})
    assert code(form) == (415, "UNSUPPORTED_MEDIA_TYPE")
    got = requests.get(f"{cores}/{echo.pk}/invoke", timeout=20)
    assert (code(got), got.headers["allow"]) == ((405, "METHOD_NOT_ALLOWED"), "POST")


async def test_an_invocation_is_counted_once(inside: None, echo: Core, anns_key: str, ann: User) -> None:
    answer = await invocations.answer(anns_key, echo.pk, {}, json.dumps(HELLO).encode(), request_id="req_1")
    await usage.flush()
    record = await UsageRecord.objects.aget()
    assert record.request_id == answer.headers["x-request-id"]
    assert (record.user_id, record.core_id, record.outcome) == (ann.pk, echo.pk, "ok")


def test_an_entity_has_one_memory_whether_it_is_chatted_with_or_invoked(
    call: Any, lean_server: Server, ann: User, root: User, key_of: Callable[[User], str]
) -> None:
    core = counter(root)
    assert said(lean_server, key_of(ann)) == "1: hello"
    assert call(ann, core.pk, {**HELLO, "entity_id": "c-1"}).json()["data"]["output"]["response"] == "2: hello"
    assert call(ann, core.pk, HELLO, **{"x-entity-id": "c-1"}).json()["data"]["output"]["response"] == "3: hello"
    missing = call(ann, core.pk)
    assert code(missing) == (422, "VALIDATION_ERROR")
    assert missing.json()["error"]["details"][0]["field"] == "entity_id"


def test_a_retry_is_answered_from_the_record(call: Any, ann: User, root: User) -> None:
    core = counter(root)
    body, once = {**HELLO, "entity_id": "c-1"}, {"idempotency-key": "k-1"}
    answers = [call(ann, core.pk, body, **once).json()["data"] for _ in range(2)]
    assert [told["output"]["response"] for told in answers] == ["1: hello", "1: hello"]
    assert code(call(ann, core.pk, {**body, "x": 1}, **once)) == (422, "IDEMPOTENCY_MISMATCH")

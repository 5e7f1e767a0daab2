"""`POST /hooks/{tenant}/{slug}`: a Core called by another server, let in by the signature of what it sends."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.utils import timezone

from chatapi import usage, webhooks
from identity.actors import actor_of
from identity.models import Tenant, User
from publishing import actions, registry
from publishing.db import pool
from publishing.models import Core, Entity, Secret, Turn
from tests.chatapi.test_invocations import code
from tests.chatapi.test_usage import recorded
from tests.conftest import echo_document
from tests.support.chat_calls import call as chat
from tests.support.chat_calls import hello
from tests.support.raw_http import exchange
from tests.support.serving import Server
from webui import usage_reports

SECRET = "whsec-1"
AUTH = {"header": "X-Hub-Signature-256", "secret_ref": "orders"}
PATH = "acme/orders"
HELLO = json.dumps({"message": "hello", "order": {"id": 7}}).encode()

Post = Callable[..., requests.Response]


def node(name: str, kind: str, **config: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "label": name, "position": {"x": 0, "y": 0}, "config": config}


def deployed(
    owner: User, *nodes: dict[str, Any], ways: tuple[tuple[str, str], ...] = (("hook", "reply"),), **document: Any
) -> Core:
    """The Core of these nodes, `orders` unless it is named otherwise, not published."""
    name = document.pop("name", "Orders")
    config = document.pop("config", {})
    drawn = {**echo_document(**{"publish_as_model": False, **config}), **document, "nodes": list(nodes)}
    drawn["edges"] = [
        {"id": f"e{n}", "type": "sequential", "source": {"node": a}, "target": {"node": b}}
        for n, (a, b) in enumerate(ways)
    ]
    actor, at = actor_of(owner), timezone.now()
    flow = actions.create_flow(tenant=owner.tenant, name=name, content=drawn, actor=actor, at=at)
    return actions.deploy(flow, actor=actor, at=at).core


def keep_secret(owner: User, value: str = SECRET) -> Secret:
    return actions.create_secret(
        tenant=owner.tenant, name="orders", value=value, actor=actor_of(owner), at=timezone.now()
    )


def says(template: str) -> dict[str, Any]:
    return node("reply", "llm_rigid", template=template, result_binding="response")


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


HOOK = node("hook", "entry_webhook", auth=AUTH)


@pytest.fixture
def orders(transactional_db: None, root: User) -> Core:
    """A Core that only its webhook reaches, and the secret that signs for it."""
    keep_secret(root)
    return deployed(root, HOOK, says("{{order.id}}: {{message}}"))


def counting(owner: User, **meta: str) -> Core:
    """A Core that counts its turns, called by webhook and as a chat model."""
    count = node("count", "data_variable_set", variable="count", expression="int(state.count) + 1")
    return deployed(
        owner,
        node("entry", "entry_api"),
        HOOK,
        count,
        says("{{state.count}}: {{message}}"),
        ways=(("entry", "count"), ("hook", "count"), ("count", "reply")),
        variables=[{"name": "count", "type": "integer", "default": 0}],
        config={"publish_as_model": True, "scaiflow_meta": {"instance_mode": "entity", **meta}},
    )


@pytest.fixture
def post(lean_server: Server, transactional_db: None) -> Post:
    """Calls a webhook with a right signature, unless another is given; None sends none."""

    def posted(
        path: str = PATH, body: bytes = HELLO, signature: str | None = "right", **headers: str
    ) -> requests.Response:
        signature = signed(body) if signature == "right" else signature
        proof = {AUTH["header"]: signature} if signature is not None else {}
        sent = {"content-type": "application/json", **proof, **headers}
        return requests.post(f"{lean_server.url}/hooks/{path}", data=body, headers=sent, timeout=20)

    return posted


def response(answer: requests.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["output"]["response"]


@pytest.mark.parametrize("dress", [str, str.upper, "sha256={}".format])
def test_a_right_signature_runs_the_flow_and_is_counted_once(
    post: Post, orders: Core, dress: Callable[[str], str]
) -> None:
    answer = post(f"{PATH}/", signature=dress(signed(HELLO)))
    assert (answer.status_code, answer.json()) == (200, {"output": {"response": "7: hello"}})
    [row] = recorded(1)
    assert (row.purpose, row.user_id, row.key_id, row.outcome) == ("webhook", "", "", "ok")
    assert (row.tenant_id, row.core_id, row.model) == ("acme", orders.pk, "scaicore/acme/orders")
    assert row.request_id == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "signature",
    [None, "", "sha256=", "0" * 64, signed(HELLO, "another"), signed(HELLO + b" "), "é", signed(HELLO)[:-1]],
)
def test_without_the_right_signature_nothing_runs(post: Post, orders: Core, signature: str | None) -> None:
    answer = post(signature=signature and signature.encode("latin-1"))
    assert code(answer) == (401, "INVALID_SIGNATURE")
    assert response(post()) == "7: hello"
    assert len(recorded(1)) == 1


def test_two_signatures_are_none(orders: Core, lean_server: Server) -> None:
    sent = [f"POST /hooks/{PATH} HTTP/1.1", "Host: x", "Content-Type: application/json"]
    sent += [f"Content-Length: {len(HELLO)}", *[f"{AUTH['header']}: {signed(HELLO)}"] * 2, "", ""]
    assert exchange(lean_server, "\r\n".join(sent).encode() + HELLO).status == 401


def test_a_stranger_is_told_nothing_about_the_body(post: Post, orders: Core) -> None:
    assert code(post(body=b"{", signature="0" * 64)) == (401, "INVALID_SIGNATURE")


def test_a_secret_that_is_not_there_signs_nothing(post: Post, orders: Core) -> None:
    Secret.objects.all().delete()
    for signature in ("right", signed(HELLO, ""), None):
        assert code(post(signature=signature)) == (401, "INVALID_SIGNATURE")


def test_a_new_secret_counts_from_the_next_call(post: Post, orders: Core, root: User) -> None:
    actions.save_secret(Secret.objects.get(), value="whsec-2", actor=actor_of(root), at=timezone.now())
    assert post().status_code == 401
    assert response(post(signature=signed(HELLO, "whsec-2"))) == "7: hello"


def test_another_tenants_secret_of_the_same_name_does_not_sign(post: Post, orders: Core, cy: User) -> None:
    keep_secret(cy, "theirs")
    assert post(signature=signed(HELLO, "theirs")).status_code == 401


def test_what_cannot_be_called_by_webhook_reads_like_what_does_not_exist(
    post: Post, orders: Core, echo: Core, root: User
) -> None:
    bare = node("hook", "entry_webhook")
    document = echo_document(publish_as_model=False)
    document["nodes"][0] = {**bare, "id": "entry", "outputs": [{"id": "out", "label": "out", "type": "any"}]}
    actor, at = actor_of(root), timezone.now()
    actions.create_core(tenant=root.tenant, name="Bare", content=document, actor=actor, at=at)
    paths = [
        "acme/none",
        "globex/orders",
        "none/orders",
        "acme/echo-agent",
        "acme/bare",
        "acme/or%00ders",
        "x",
        "",
        "a/b/c",
    ]
    answers = [post(path, signature=signature) for path in paths for signature in ("right", None)]
    Tenant.objects.update(is_active=False)
    answers.append(post())
    assert {code(answer) for answer in answers} == {(404, "UNKNOWN_URL")}
    assert len({json.dumps(answer.json()["error"]) for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.keys())) for answer in answers}) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b"null", b"{", b"[" * 100_000, b'{"a": NaN}', b'{"a": "\\ud800"}', b'{"a": "\\u0000"}', b"\xff"],
    ids=lambda body: str(body)[:20],
)
def test_a_bad_body_is_422(post: Post, orders: Core, body: bytes) -> None:
    assert code(post(body=body)) == (422, "VALIDATION_ERROR")


def test_other_refusals_speak_the_envelope_too(post: Post, orders: Core, lean_server: Server) -> None:
    form = post(**{"content-type": "application/x-www-form-urlencoded"})
    assert code(form) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert code(post("acme/none", **{"content-type": "text/plain"})) == (404, "UNKNOWN_URL")
    large = post(body=b'{"a": "' + b"x" * 20_000_000 + b'"}')
    assert code(large) == (413, "REQUEST_TOO_LARGE")
    got = requests.get(f"{lean_server.url}/hooks/{PATH}", timeout=20)
    assert (code(got), got.headers["allow"]) == ((405, "METHOD_NOT_ALLOWED"), "POST")


def test_a_flow_with_both_entries_begins_where_it_is_called(
    post: Post, lean_server: Server, root: User, ann: User, key_of: Callable[[User], str]
) -> None:
    keep_secret(root)
    deployed(
        root,
        node("entry", "entry_api"),
        HOOK,
        node("asked", "llm_rigid", template="asked"),
        node("told", "llm_rigid", template="told"),
        says("{{asked}}{{told}}: {{message}}"),
        ways=(("entry", "asked"), ("hook", "told"), ("asked", "reply"), ("told", "reply")),
        config={"publish_as_model": True},
    )
    answer = chat(lean_server, key_of(ann), hello(model="scaicore/acme/orders"))
    assert answer.json()["choices"][0]["message"]["content"] == "asked: hello"
    assert response(post()) == "told: hello"


def test_an_entity_that_the_body_names_remembers(
    post: Post, lean_server: Server, root: User, ann: User, key_of: Callable[[User], str]
) -> None:
    keep_secret(root)
    counting(root)
    first, second = (json.dumps({"message": "hi", "entity_id": name}).encode() for name in ("c-1", "c-2"))
    assert [response(post(body=body)) for body in (first, first, second)] == ["1: hi", "2: hi", "1: hi"]
    assert set(Entity.objects.values_list("owner", flat=True)) == {""}
    # Ann's own conversation of that name is another.
    answer = chat(lean_server, key_of(ann), hello(model="scaicore/acme/orders", entity_id="c-1"))
    assert answer.json()["choices"][0]["message"]["content"] == "1: hello"


@pytest.mark.parametrize("entity", [{}, {"entity_id": None}, {"entity_id": 7}, {"entity_id": ""}, {"entity_id": "a\n"}])
def test_an_entity_is_named_in_the_signed_body_and_nowhere_else(post: Post, root: User, entity: dict[str, Any]) -> None:
    keep_secret(root)
    counting(root)
    answer = post(body=json.dumps({"message": "hi", **entity}).encode(), **{"x-entity-id": "c-1"})
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"][0]["field"] == "entity_id"


def test_the_tenants_conversations_are_shared_with_the_webhook(
    post: Post, lean_server: Server, root: User, ann: User, key_of: Callable[[User], str]
) -> None:
    keep_secret(root)
    counting(root, entity_scope="tenant")
    assert response(post(body=b'{"message": "hi", "entity_id": "c-1"}')) == "1: hi"
    answer = chat(lean_server, key_of(ann), hello(model="scaicore/acme/orders", entity_id="c-1"))
    assert answer.json()["choices"][0]["message"]["content"] == "2: hello"


def test_a_singleton_counts_without_an_entity(post: Post, root: User) -> None:
    keep_secret(root)
    counting(root, instance_mode="singleton")
    assert [response(post()), response(post())] == ["1: hello", "2: hello"]


def test_a_checkpoint_waits_for_the_next_call(post: Post, root: User) -> None:
    keep_secret(root)
    ask = node("ask", "hitl_decision", prompt="Send it?", options=["yes", "no"])
    deployed(
        root,
        HOOK,
        ask,
        says("You said {{decision}}"),
        ways=(("hook", "ask"), ("ask", "reply")),
        config={"scaiflow_meta": {"instance_mode": "entity"}},
    )
    bodies = [json.dumps({"message": said, "entity_id": "c-1"}).encode() for said in ("please", "yes")]
    asked, done = [response(post(body=body)) for body in bodies]
    assert "Send it?" in asked
    assert done == "You said yes"


def test_what_a_user_asked_a_webhook_may_decide(
    post: Post, lean_server: Server, root: User, ann: User, key_of: Callable[[User], str]
) -> None:
    keep_secret(root)
    ask = node("ask", "hitl_decision", prompt="Send it?", options=["yes", "no"])
    deployed(
        root,
        node("entry", "entry_api"),
        HOOK,
        ask,
        says("It said {{decision}}"),
        ways=(("entry", "ask"), ("hook", "ask"), ("ask", "reply")),
        config={"publish_as_model": True, "scaiflow_meta": {"instance_mode": "entity", "entity_scope": "tenant"}},
    )
    asked = chat(lean_server, key_of(ann), hello(model="scaicore/acme/orders", entity_id="c-1"))
    assert "Send it?" in asked.json()["choices"][0]["message"]["content"]
    assert response(post(body=b'{"message": "no", "entity_id": "c-1"}')) == "It said no"


def test_a_call_sent_again_is_answered_from_the_record(post: Post, root: User) -> None:
    keep_secret(root)
    counting(root)
    body, once = b'{"message": "hi", "entity_id": "c-1"}', {"idempotency-key": "k-1"}
    assert [response(post(body=body, **once)) for _ in range(2)] == ["1: hi", "1: hi"]
    assert code(post(body=body + b" ", **once)) == (422, "IDEMPOTENCY_MISMATCH")
    assert code(post(body=body, **{"idempotency-key": "k" * 256})) == (422, "VALIDATION_ERROR")
    assert Turn.objects.count() == len(recorded(1)) == 1


def test_two_webhooks_may_use_the_same_key(post: Post, orders: Core, cy: User) -> None:
    keep_secret(cy)
    deployed(cy, HOOK, says("globex: {{message}}"))
    once = {"idempotency-key": "1"}
    assert response(post(**once)) == response(post(**once)) == "7: hello"
    assert response(post("globex/orders", **once)) == "globex: hello"


def test_a_webhook_has_no_rights_to_call_other_cores(post: Post, echo: Core, root: User) -> None:
    keep_secret(root)
    ask = node("ask", "subflow_call", target="core://acme/echo-agent")
    deployed(root, HOOK, ask, says("{{ask.response}}"), ways=(("hook", "ask"), ("ask", "reply")))
    assert code(post()) == (502, "CORE_ERROR")
    assert [(row.purpose, row.outcome) for row in recorded(1)] == [("webhook", "failed")]


async def test_inside_one_statement_finds_and_another_opens_the_secret(
    inside: None, orders: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    rows = pool.rows

    async def recording(statement: str, values: Any) -> list[tuple[Any, ...]]:
        sent.append(statement)
        return await rows(statement, values)

    monkeypatch.setattr(pool, "rows", recording)
    headers = {AUTH["header"].lower(): signed(HELLO)}
    for number in (1, 2):
        sent.clear()
        answer = await webhooks.answer("acme", "orders", headers, HELLO, request_id=f"req_{number}")
        await usage.flush()
    assert (answer.status, len(sent), sent[0], sent[-1]) == (200, 3, registry.LIVE, usage.INSERT)


async def test_a_webhooks_run_has_the_same_bounds(inside: None, orders: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {AUTH["header"].lower(): signed(HELLO)}
    for steps, status in ((2, 200), (1, 502)):
        monkeypatch.setattr("scaicore.runtime.budget.MAX_STEPS", steps)
        assert (await webhooks.answer("acme", "orders", headers, HELLO, request_id="req_1")).status == status


def test_the_usage_page_says_that_nobody_called(orders: Core, post: Post) -> None:
    post()
    recorded(1)
    calls = usage_reports.Calls("acme", user_id=None, days=7, at=timezone.now())
    found = usage_reports.by_user(calls) + usage_reports.by_key(calls)
    assert [row.label for row in found] == [usage_reports.NOBODY] * 2

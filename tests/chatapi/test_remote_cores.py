"""Cores whose program lives elsewhere, called over the wire: a LangGraph graph behind FastAPI, in its own process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.utils import timezone
from openai import OpenAI

from chatapi.models import UsageRecord
from identity import actors
from identity.models import AuditEntry, Group, User
from publishing import actions
from publishing.actions import RemoteProgram
from publishing.models import Core, CoreVersion, Entity
from tests.conftest import echo_document
from tests.support.chat_calls import call, error, frames, hello
from tests.support.remote_graph_secret import SECRET
from tests.support.serving import ROOT, Server, await_port, free_port

KeyOf = Callable[[User], str]
MODEL = "scaicore/acme/counter"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Where the graph listens."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "tests.support.remote_graph:app",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        await_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()  # its callers' connections are kept for the next request
        process.wait(timeout=10)


@pytest.fixture(autouse=True)
def loopback_is_listed(settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1",)


@pytest.fixture
def lean(transactional_db: None, lean_server: Server) -> Server:
    return lean_server


def published(owner: User, url: str, groups: list[str] | None = None, **remote: Any) -> Core:
    """A remote Core, published as `MODEL`."""
    actor, at = actors.actor_of(owner), timezone.now()
    program = RemoteProgram(url, **{"secret": SECRET, **remote})
    core = actions.create_core(tenant=owner.tenant, name="Counter", remote=program, actor=actor, at=at)
    actions.publish(core, group_ids=groups or [], actor=actor, at=at)
    return core


def says(server: Server, key: str, text: str, **fields: Any) -> str:
    body = hello(model=MODEL, messages=[{"role": "user", "content": text}], **fields)
    answer = call(server, key, body)
    assert answer.status_code == 200, answer.text
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


def runs(core: Core, count: int) -> set[tuple[str, str]]:
    """How the Core's runs ended and what they were for, once `count` of them are recorded."""
    found = UsageRecord.objects.filter(core_id=core.pk)
    until = time.monotonic() + 5
    while found.count() < count and time.monotonic() < until:
        time.sleep(0.02)
    assert found.count() == count
    return set(found.values_list("outcome", "purpose"))


@pytest.mark.parametrize("path", ["/whole", "/stream"])
def test_a_graph_elsewhere_answers_whole_and_streamed(
    server: Server, elsewhere: str, root: User, ann: User, key_of: KeyOf, path: str
) -> None:
    core = published(root, elsewhere + path)
    key = key_of(ann)
    assert says(server, key, "hi") == "You said hi, 1 so far."
    client = OpenAI(base_url=server.v1, api_key=key, _strict_response_validation=True, max_retries=0)
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "ho"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert "".join(pieces) == "You said ho, 1 so far."
    assert len(pieces) > 1 or path == "/whole"
    assert chunks[-1].usage is not None
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (7, 5)
    assert runs(core, 2) == {("ok", "chat")}


def test_who_may_call_is_decided_as_for_every_core(
    lean: Server, elsewhere: str, root: User, ann: User, bo: User, cy: User, engineering: Group, key_of: KeyOf
) -> None:
    published(root, f"{elsewhere}/whole", [engineering.scaikey_id])
    answers = [call(lean, key_of(user), hello(model=MODEL)).status_code for user in (ann, bo, cy)]
    assert answers == [200, 403, 404]


@pytest.mark.parametrize("path", ["/whole", "/stream"])
def test_what_it_gives_back_is_remembered_for_each_entity(
    lean: Server, elsewhere: str, root: User, ann: User, key_of: KeyOf, path: str
) -> None:
    published(root, elsewhere + path, instance_mode="entity")
    key = key_of(ann)
    for number in (1, 2, 3):
        assert says(lean, key, "hi", entity_id="c-1") == f"You said hi, {number} so far."
    assert says(lean, key, "hi", entity_id="c-2") == "You said hi, 1 so far."
    assert Entity.objects.get(entity_id="c-1").state == {"count": 3}


def test_a_core_without_memory_is_given_none_and_keeps_none(
    lean: Server, elsewhere: str, root: User, ann: User, key_of: KeyOf
) -> None:
    published(root, f"{elsewhere}/whole")
    key = key_of(ann)
    assert {says(lean, key, "hi"), says(lean, key, "hi")} == {"You said hi, 1 so far."}


def test_the_other_side_is_told_who_is_called_and_by_which_request(
    lean: Server, elsewhere: str, root: User, ann: User, key_of: KeyOf
) -> None:
    core = published(root, f"{elsewhere}/mirror", instance_mode="entity")
    body = {"input": {"message": "hi", "colour": "red"}, "entity_id": "c-1"}
    headers = {"authorization": f"Bearer {key_of(ann)}"}
    url = f"{lean.v1}/modules/scaicore/cores/{core.pk}/invoke"
    told = requests.post(url, json=body, headers=headers, timeout=10).json()
    sent = told["data"]["output"]["response"]
    assert sent["request"] == {"core": core.pk, "version": 1, "request_id": told["meta"]["request_id"]}
    assert (sent["entity_id"], sent["state"], sent["input"]["colour"]) == ("c-1", {}, "red")


@pytest.mark.parametrize("secret", ["", "another-secret-of-ours"])
def test_a_call_that_is_not_signed_as_agreed_is_refused_there_and_502_here(
    lean: Server, elsewhere: str, root: User, ann: User, key_of: KeyOf, secret: str
) -> None:
    published(root, f"{elsewhere}/whole", secret=secret)
    answer = call(lean, key_of(ann), hello(model=MODEL))
    assert (answer.status_code, error(answer)["code"]) == (502, "core_error")


@pytest.mark.parametrize(
    "path",
    [
        "/html",
        "/broken",
        "/none",
        "/json/list",
        "/json/nothing",
        "/json/no-response",
        "/json/list-state",
        "/json/large-state",
        "/json/large",
        "/json/nul",
        "/json/error",
    ],
)
def test_what_is_no_answer_is_502_and_nothing_is_remembered(
    lean: Server, elsewhere: str, root: User, ann: User, key_of: KeyOf, path: str
) -> None:
    core = published(root, elsewhere + path, instance_mode="entity")
    answer = call(lean, key_of(ann), hello(model=MODEL, entity_id="c-1"))
    assert (answer.status_code, error(answer)["code"]) == (502, "core_error")
    assert "secret detail" not in answer.text
    assert runs(core, 1) == {("failed", "chat")}
    assert not Entity.objects.exclude(state={}).exists()


@pytest.mark.parametrize("name", ["half", "garbage", "other-words", "error", "done-too-soon", "flood"])
def test_a_stream_that_goes_wrong_is_502_whole_and_ends_with_an_error_streamed(
    lean: Server, elsewhere: str, root: User, ann: User, key_of: KeyOf, name: str
) -> None:
    core = published(root, f"{elsewhere}/events/{name}", instance_mode="entity")
    key = key_of(ann)
    assert call(lean, key, hello(model=MODEL, entity_id="c-1")).status_code == 502
    *_, failure, done = frames(call(lean, key, hello(model=MODEL, entity_id="c-1", stream=True)))
    assert (failure["error"]["code"], done) == ("core_error", "[DONE]")
    assert runs(core, 2) == {("failed", "chat")}


def test_only_what_the_program_can_answer_is_asked_of_it(
    lean: Server, elsewhere: str, root: User, ann: User, key_of: KeyOf
) -> None:
    core = published(root, f"{elsewhere}/whole")
    key, asked = key_of(ann), hello(model=MODEL, response_format={"type": "json_object"})
    assert error(call(lean, key, asked))["code"] == "unsupported_parameter"
    able = RemoteProgram(f"{elsewhere}/whole", capabilities=["response_format"])
    actions.update_core(core, remote=able, actor=actors.actor_of(root), at=timezone.now())
    # It is asked now, and what it answers is checked like any other program's answer: this one only writes prose.
    refused = call(lean, key, asked)
    assert (refused.status_code, "`response_format`" in error(refused)["message"]) == (502, True)


def test_a_server_that_is_down_is_502(lean: Server, root: User, ann: User, key_of: KeyOf) -> None:
    published(root, f"http://127.0.0.1:{free_port()}/")
    assert call(lean, key_of(ann), hello(model=MODEL)).status_code == 502


@pytest.mark.parametrize("path", ["/silent", "/stalls"])
def test_a_server_that_is_slow_is_504_in_time(
    lean: Server, elsewhere: str, root: User, ann: User, key_of: KeyOf, path: str
) -> None:
    core = published(root, elsewhere + path, timeout_s=0.5)
    started = time.monotonic()
    answer = call(lean, key_of(ann), hello(model=MODEL))
    assert (answer.status_code, error(answer)["code"]) == (504, "core_timeout")
    assert time.monotonic() - started < 5
    assert runs(core, 1) == {("timed_out", "chat")}


def test_a_caller_who_leaves_hangs_up_there(lean: Server, elsewhere: str, root: User, ann: User, key_of: KeyOf) -> None:
    core = published(root, f"{elsewhere}/stalls")
    before = len(requests.get(f"{elsewhere}/left", timeout=10).json())
    client = OpenAI(base_url=lean.v1, api_key=key_of(ann), max_retries=0)
    messages: Any = [{"role": "user", "content": "hi"}]
    stream = client.chat.completions.create(model=MODEL, messages=messages, stream=True)
    next(iter(stream))
    stream.close()
    until = time.monotonic() + 5
    while len(requests.get(f"{elsewhere}/left", timeout=10).json()) == before:
        assert time.monotonic() < until, "nobody hung up"
        time.sleep(0.05)
    assert runs(core, 1) == {("cancelled", "chat")}


def test_another_core_calls_it_with_the_rights_of_its_caller(
    lean: Server, elsewhere: str, root: User, ann: User, bo: User, engineering: Group, key_of: KeyOf
) -> None:
    published(root, f"{elsewhere}/stream", [engineering.scaikey_id])
    document = echo_document()
    ask = {"target": "core://acme/counter", "result_binding": "response"}
    document["nodes"][1] |= {"type": "subflow_call", "config": ask}
    actor, at = actors.actor_of(root), timezone.now()
    flow = actions.create_flow(tenant=root.tenant, name="Outer", content=document, actor=actor, at=at)
    actions.deploy(flow, actor=actor, at=at)
    answers = [call(lean, key_of(user), hello(model="scaicore/acme/outer")) for user in (ann, bo)]
    assert [answer.status_code for answer in answers] == [200, 502]
    assert "You said hello, 1 so far." in answers[0].json()["choices"][0]["message"]["content"]


def test_a_new_version_counts_from_the_next_call_and_is_rolled_back_like_any(
    lean: Server, elsewhere: str, root: User, ann: User, key_of: KeyOf
) -> None:
    core = published(root, f"{elsewhere}/whole")
    actor, key = actors.actor_of(root), key_of(ann)
    actions.update_core(core, remote=RemoteProgram(f"{elsewhere}/broken"), actor=actor, at=timezone.now())
    assert call(lean, key, hello(model=MODEL)).status_code == 502
    actions.rollback(core, version=1, actor=actor, at=timezone.now())
    assert says(lean, key, "hi") == "You said hi, 1 so far."
    assert CoreVersion.objects.count() == 2
    assert SECRET not in str(list(AuditEntry.objects.values_list("before", "after")))

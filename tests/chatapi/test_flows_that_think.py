"""Flows that ask models, other Cores and people, called over the wire; the models answer from a scripted upstream."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from openai import OpenAI

from chatapi.models import UsageRecord
from identity.models import Group, User
from publishing.models import Core
from tests.chatapi.test_usage import recorded
from tests.support.chat_calls import call, error, frames, hello
from tests.support.serving import Server
from tests.support.thinking_flows import assistant, deployed, node
from tests.support.upstream import Upstream

KeyOf = Callable[[User], str]


def test_a_models_words_are_streamed_and_its_own_figures_are_the_usage(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "well")
    models.says("well", "Hello there, how can I help?")
    client = OpenAI(base_url=thinking.v1, api_key=key_of(ann), _strict_response_validation=True, max_retries=0)
    stream = client.chat.completions.create(
        model="scaicore/acme/assistant",
        messages=[{"role": "user", "content": "hi"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert "".join(pieces) == "Hello there, how can I help?"
    assert len(pieces) > 1
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens > 0


@pytest.mark.parametrize("model", ["status-500", "html", "garbage"])
def test_an_upstream_that_fails_before_its_first_word_is_502(
    thinking: Server, root: User, ann: User, key_of: KeyOf, model: str
) -> None:
    assistant(root, model)
    answer = call(thinking, key_of(ann), hello(model="scaicore/acme/assistant", stream=True))
    assert (answer.status_code, error(answer)["code"]) == (502, "core_error")
    assert recorded(1)[0].outcome == "failed"


def test_a_core_calls_another_with_the_rights_of_its_caller(
    thinking: Server, root: User, ann: User, bo: User, engineering: Group, narrow_echo: Core, key_of: KeyOf
) -> None:
    ask = node("ask", "subflow_call", target="core://acme/echo-agent")
    deployed(
        root, "Outer", ask, node("reply", "llm_rigid", template="It said {{ask.response}}", result_binding="response")
    )
    body = hello(model="scaicore/acme/outer")
    allowed = call(thinking, key_of(ann), body)
    assert allowed.json()["choices"][0]["message"]["content"] == "It said hello"
    assert sorted(row.purpose for row in recorded(2)) == ["chat", "subflow"]
    assert call(thinking, key_of(bo), body).status_code == 502


def test_a_checkpoint_ends_the_turn_with_its_question_and_the_next_message_goes_on(
    thinking: Server, root: User, ann: User, key_of: KeyOf
) -> None:
    ask = node("ask", "hitl_decision", prompt="Send it?", options=["yes", "no"])
    done = node("reply", "llm_rigid", template="You said {{decision}}", result_binding="response")
    deployed(root, "Approval", ask, done, scaiflow_meta={"instance_mode": "entity"})
    key = key_of(ann)

    def say(text: str) -> str:
        messages = [{"role": "user", "content": text}]
        answer = call(thinking, key, hello(model="scaicore/acme/approval", messages=messages, entity_id="c-1"))
        assert answer.status_code == 200, answer.text
        content: str = answer.json()["choices"][0]["message"]["content"]
        return content

    assert "Send it?" in say("please send")
    assert say("YES") == "You said yes"
    assert "Send it?" in say("another")


def test_a_caller_who_leaves_hangs_up_on_the_model(
    thinking: Server, models: Upstream, root: User, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "slow")
    client = OpenAI(base_url=thinking.v1, api_key=key_of(ann), max_retries=0)
    stream = client.chat.completions.create(
        model="scaicore/acme/assistant", messages=[{"role": "user", "content": "hi"}], stream=True
    )
    next(iter(stream))
    stream.close()
    models.await_left("slow")
    assert recorded(1)[0].outcome == "cancelled"
    assert UsageRecord.objects.get().purpose == "chat"


def test_half_a_stream_ends_with_an_error_and_no_finish_reason(
    thinking: Server, root: User, ann: User, key_of: KeyOf
) -> None:
    assistant(root, "half")
    *_, failure, done = frames(call(thinking, key_of(ann), hello(model="scaicore/acme/assistant", stream=True)))
    assert (failure["error"]["code"], done) == ("core_error", "[DONE]")

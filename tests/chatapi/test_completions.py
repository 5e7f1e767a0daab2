"""`POST /v1/chat/completions` through the openai SDK, as callers use it."""

from __future__ import annotations

from collections.abc import Callable

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from identity.models import User
from publishing.models import Core
from tests.support.serving import Server

MODEL = "scaicore/acme/echo-agent"


@pytest.fixture
def client(server: Server, ann: User, key_of: Callable[[User], str]) -> OpenAI:
    return OpenAI(base_url=server.v1, api_key=key_of(ann), _strict_response_validation=True, max_retries=0)


def say(*texts: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text} for text in texts]


def test_a_whole_answer_is_the_echo(client: OpenAI, echo: Core) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=say("hello"))
    assert answer.choices[0].message.content == "hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == MODEL
    assert answer.id.startswith("chatcmpl-")


def test_usage_is_three_integers_and_their_sum(client: OpenAI, echo: Core) -> None:
    usage = client.chat.completions.create(model=MODEL, messages=say("hello")).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (1, 1, 2)


def test_the_last_user_message_is_the_one_that_is_answered(client: OpenAI, echo: Core) -> None:
    messages = [*say("first"), {"role": "assistant", "content": "first"}, *say("second")]
    assert client.chat.completions.create(model=MODEL, messages=messages).choices[0].message.content == "second"


def test_text_parts_are_joined_by_a_newline(client: OpenAI, echo: Core) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": parts}])
    assert answer.choices[0].message.content == "one\ntwo"


def test_a_stream_gives_the_same_text(client: OpenAI, echo: Core) -> None:
    chunks = list(client.chat.completions.create(model=MODEL, messages=say("hello"), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "hello"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1


def test_a_stream_ends_with_usage_when_it_is_asked_for(client: OpenAI, echo: Core) -> None:
    options = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(model=MODEL, messages=say("hello"), stream=True, stream_options=options)
    )
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 2
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_the_async_client_works_alike(server: Server, anns_key: str, echo: Core) -> None:
    key = anns_key.removeprefix("Bearer ")
    async with AsyncOpenAI(base_url=server.v1, api_key=key, _strict_response_validation=True) as client:
        answer = await client.chat.completions.create(model=MODEL, messages=say("hello"))
        stream = await client.chat.completions.create(model=MODEL, messages=say("hello"), stream=True)
        streamed = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert answer.choices[0].message.content == "".join(streamed) == "hello"


def test_the_other_prefix_serves_the_same(server: Server, ann: User, key_of: Callable[[User], str], echo: Core) -> None:
    client = OpenAI(base_url=f"{server.url}/oai/v1", api_key=key_of(ann))
    assert client.chat.completions.create(model=MODEL, messages=say("hello")).choices[0].message.content == "hello"
    assert [model.id for model in client.models.list()] == [MODEL]


def test_entity_id_travels_in_extra_body(client: OpenAI, echo: Core) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=say("hello"), extra_body={"entity_id": "c-1"})
    assert answer.choices[0].message.content == "hello"


def test_refusals_are_the_sdks_own_exceptions(
    server: Server, bo: User, cy: User, key_of: Callable[[User], str], narrow_echo: Core
) -> None:
    for user, expected in ((bo, openai.PermissionDeniedError), (cy, openai.NotFoundError)):
        with pytest.raises(expected):
            OpenAI(base_url=server.v1, api_key=key_of(user), max_retries=0).chat.completions.create(
                model=MODEL, messages=say("hello")
            )
    with pytest.raises(openai.AuthenticationError):
        OpenAI(base_url=server.v1, api_key="sgk_wrong", max_retries=0).models.list()

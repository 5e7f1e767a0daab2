"""Each method that OpenAI's SDK has for what is served here: plain, raw, streaming, asynchronous, and misused.

Answers are read under the SDK's strict validation: what is not of its types is an error.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from identity.models import User
from publishing.models import Core
from tests.support.chat_calls import HELLO
from tests.support.serving import Server

NAME = HELLO["model"]
SAID = {"model": NAME, "messages": HELLO["messages"]}
ASKED = {"model": NAME, "input": "hello"}
COMPLETION, RESPONSE = "the id of a stored completion", "the id of a stored response"
# By the method's path: its arguments.
METHODS: dict[str, tuple[Any, ...]] = {
    "chat.completions.create": (SAID,),
    "chat.completions.retrieve": (COMPLETION, {}),
    "chat.completions.update": (COMPLETION, {"metadata": {"case": "7"}}),
    "chat.completions.list": ({"model": NAME, "order": "desc"},),
    "chat.completions.delete": (COMPLETION, {}),
    "responses.create": (ASKED,),
    "responses.retrieve": (RESPONSE, {}),
    "responses.input_items.list": (RESPONSE, {"order": "asc"}),
    "responses.delete": (RESPONSE, {}),
    "models.list": ({},),
    "models.retrieve": (NAME, {}),
}
STREAMED = {"chat.completions.create": SAID, "responses.create": ASKED}
WITH_ID = [name for name, arguments in METHODS.items() if len(arguments) == 2]


@pytest.fixture
def sdk(server: Server, echo: Core, ann: User, key_of: Callable[[User], str]) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.v1, api_key=key_of(ann), max_retries=0, _strict_response_validation=True) as made:
        yield made


@pytest.fixture
def stored(sdk: OpenAI) -> dict[str, str]:
    """What is there to be read, by its placeholder."""
    return {
        COMPLETION: sdk.chat.completions.create(**SAID, store=True).id,
        RESPONSE: sdk.responses.create(**ASKED).id,
    }


def method(client: Any, path: str, mode: str = "") -> Any:
    *resource, name = path.split(".")
    found = operator.attrgetter(".".join(resource))(client)
    return getattr(getattr(found, mode) if mode else found, name)


def arguments(path: str, stored: dict[str, str]) -> tuple[list[str], dict[str, Any]]:
    *given, named = METHODS[path]
    return [stored.get(value, value) for value in given], named


@pytest.mark.parametrize("path", METHODS)
def test_each_method_gives_its_answer_plain_raw_and_streaming(sdk: OpenAI, stored: dict[str, str], path: str) -> None:
    given, named = arguments(path, stored)
    if not path.endswith(".delete"):
        assert method(sdk, path)(*given, **named) is not None
        raw = method(sdk, path, "with_raw_response")(*given, **named)
        assert raw.headers["x-request-id"].startswith("req_")
        assert raw.is_closed
        assert raw.parse() is not None
    with method(sdk, path, "with_streaming_response")(*given, **named) as streaming:
        assert not streaming.is_closed
        assert streaming.parse() is not None or path == "responses.delete"
    assert streaming.is_closed


@pytest.mark.parametrize("path", STREAMED)
def test_each_stream_is_read_plain_raw_and_streaming(sdk: OpenAI, path: str) -> None:
    plain = list(method(sdk, path)(**STREAMED[path], stream=True))
    raw = list(method(sdk, path, "with_raw_response")(**STREAMED[path], stream=True).parse())
    with method(sdk, path, "with_streaming_response")(**STREAMED[path], stream=True) as streaming:
        read = list(streaming.parse())
    assert len(plain) == len(raw) == len(read) > 2


@pytest.mark.parametrize("path", METHODS)
def test_each_method_gives_its_answer_to_the_asynchronous_client(
    sdk: OpenAI, stored: dict[str, str], path: str
) -> None:
    given, named = arguments(path, stored)

    async def call() -> None:
        async with AsyncOpenAI(base_url=str(sdk.base_url), api_key=sdk.api_key, max_retries=0) as client:
            await method(client, path)(*given, **named)
            if path in STREAMED:
                assert [one async for one in await method(client, path)(**named, stream=True)]

    asyncio.run(call())


@pytest.mark.parametrize("path", WITH_ID)
def test_each_method_refuses_an_id_that_is_none(sdk: OpenAI, stored: dict[str, str], path: str) -> None:
    _, named = arguments(path, stored)
    with pytest.raises(ValueError, match="non-empty"):
        method(sdk, path)("", **named)
    for wrong in ("none", "resp_0000000000000000", "a/b", "a%2Fb", "ä", "x" * 500):
        with pytest.raises(openai.NotFoundError) as refused:
            method(sdk, path)(wrong, **named)
        assert set(refused.value.body or ()) == {"message", "type", "param", "code"}  # type: ignore[call-overload]


WRONG = [
    ("chat.completions.create", {"temperature": "hot"}, "temperature"),
    ("chat.completions.create", {"messages": "hello"}, "messages"),
    ("chat.completions.create", {"messages": []}, "messages"),
    ("chat.completions.create", {"stop": ["a"] * 5}, "stop"),
    ("chat.completions.create", {"n": 2}, "n"),
    ("chat.completions.create", {"metadata": {"a": 1}}, "metadata"),
    ("chat.completions.list", {"limit": 0}, "limit"),
    ("chat.completions.list", {"limit": 1000}, "limit"),
    ("chat.completions.list", {"order": "up"}, "order"),
    ("chat.completions.list", {"after": "none"}, "after"),
    ("responses.create", {"temperature": "hot"}, "temperature"),
    ("responses.create", {"input": 7}, "input"),
    ("responses.create", {"background": True}, "background"),
    ("responses.create", {"metadata": {"a": 1}}, "metadata"),
]


@pytest.mark.parametrize(("path", "wrong", "param"), WRONG)
def test_a_wrong_argument_is_named(sdk: OpenAI, path: str, wrong: dict[str, Any], param: str) -> None:
    _, named = arguments(path, {})
    with pytest.raises(openai.BadRequestError) as refused:
        method(sdk, path)(**named | wrong)
    assert str(refused.value.param).startswith(param)


def test_what_is_not_served_is_said_so(sdk: OpenAI, stored: dict[str, str]) -> None:
    with pytest.raises(openai.BadRequestError):
        sdk.responses.cancel(stored[RESPONSE])
    with pytest.raises(openai.APIStatusError):
        sdk.models.delete(NAME)
    with pytest.raises(openai.NotFoundError, match="not served"):
        sdk.embeddings.create(model=NAME, input="hello")
    with pytest.raises(openai.NotFoundError, match="not served"):
        sdk.completions.create(model=NAME, prompt="hello")


def test_the_messages_of_a_stored_completion_are_listed_as_they_were_said(sdk: OpenAI, stored: dict[str, str]) -> None:
    # OpenAI's description knows assistants alone among them, so the SDK's strict validation would refuse a user's.
    with OpenAI(base_url=sdk.base_url, api_key=sdk.api_key, max_retries=0) as lenient:
        listed = lenient.chat.completions.messages.list(stored[COMPLETION], order="asc")
        assert [(str(one.role), one.content) for one in listed.data] == [("user", "hello")]
        with pytest.raises(openai.NotFoundError):
            lenient.chat.completions.messages.list("none")

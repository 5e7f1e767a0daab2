"""How many streams one key may have open."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.conf import LazySettings

from chatapi import completions
from chatapi.responses import Frames, Whole
from identity.models import User
from publishing.models import Core
from tests.support.chat_calls import HELLO, hello

STREAM = json.dumps(hello(stream=True)).encode()
WHOLE = json.dumps(HELLO).encode()


@pytest.fixture(autouse=True)
def bound(inside: None, echo: Core, settings: LazySettings) -> None:
    settings.MAX_STREAMS_PER_KEY = 2


async def opened(key: str) -> Frames:
    answer = await completions.answer(key, {}, STREAM)
    assert isinstance(answer, Frames)
    return answer


async def test_one_stream_too_many_is_429_until_another_has_ended(anns_key: str) -> None:
    first, second = await opened(anns_key), await opened(anns_key)
    refused = await completions.answer(anns_key, {}, STREAM)
    assert isinstance(refused, Whole)
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert json.loads(refused.body)["error"]["code"] == "rate_limit_exceeded"
    await first.rest.aclose()
    third = await opened(anns_key)
    await second.rest.aclose()
    await third.rest.aclose()


async def test_a_stream_that_is_read_to_its_end_is_open_no_more(anns_key: str) -> None:
    for _ in range(4):
        async for _frame in (await opened(anns_key)).rest:
            pass


async def test_what_is_refused_or_whole_is_no_open_stream(anns_key: str) -> None:
    for _ in range(4):
        refused = await completions.answer(anns_key, {}, STREAM.replace(b"echo-agent", b"nothing"))
        whole = await completions.answer(anns_key, {}, WHOLE)
        assert isinstance(refused, Whole)
        assert isinstance(whole, Whole)
        assert (refused.status, whole.status) == (404, 200)


async def test_another_key_has_streams_of_its_own(anns_key: str, ann: User, new_key: str) -> None:
    taken = [await opened(anns_key), await opened(anns_key)]
    other = await opened(new_key)
    for stream in (*taken, other):
        await stream.rest.aclose()


@pytest.fixture
def new_key(ann: User, key_of: Callable[[User], str]) -> str:
    return f"Bearer {key_of(ann)}"

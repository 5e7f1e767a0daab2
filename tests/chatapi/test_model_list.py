"""Names that no model can have, asked for by callers with and without a key."""

from __future__ import annotations

import asyncio

import pytest

from chatapi import model_list
from publishing.models import Core

ECHO = "scaicore/acme/echo-agent"
NO_NAMES = ["\0", "scaicore/acme/echo-agent\0", "scaicore/acme/\nx", "x" * 100_000]


async def retrieve(authorization: str, name: str) -> int:
    return (await model_list.retrieve(authorization, name, request_id="req_x")).status


@pytest.mark.parametrize("name", NO_NAMES, ids=lambda name: ascii(name[:30]))
async def test_what_cannot_be_a_name_is_an_unknown_model_to_callers_with_a_key_alone(
    inside: None, echo: Core, anns_key: str, name: str
) -> None:
    assert await retrieve(anns_key, name) == 404
    assert await retrieve("Bearer sgk_wrong", name) == 401


async def test_nobody_spoils_the_calls_that_are_decided_in_the_same_batch(
    inside: None, echo: Core, anns_key: str
) -> None:
    asked = [(anns_key, ECHO), *(("Bearer x", name) for name in NO_NAMES), (anns_key, ECHO)]
    statuses = await asyncio.gather(*(retrieve(*one) for one in asked))
    assert statuses == [200, *(401 for _ in NO_NAMES), 200]

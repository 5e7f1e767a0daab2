"""What a call asks of the database: one prepared statement to decide, one to count, and nothing in between."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import psycopg
import pytest

from chatapi import completions, usage
from chatapi.responses import Frames, Whole
from publishing import registry
from publishing.db import pool
from publishing.models import Core
from tests.support.chat_calls import HELLO, hello

BODY = json.dumps(HELLO).encode()


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that the async side sends."""
    sent: list[str] = []
    execute = psycopg.AsyncConnection.execute

    async def recording(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(str(query))
        return await execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", recording)
    return sent


async def answer(authorization: str, body: bytes = BODY) -> Whole | Frames:
    return await completions.answer(authorization, {}, body)


async def test_a_call_decides_by_one_statement_and_counts_by_another(
    inside: None, echo: Core, anns_key: str, statements: list[str]
) -> None:
    await answer(anns_key)
    await usage.flush()
    statements.clear()
    assert (await answer(anns_key))[0] == 200
    await usage.flush()
    assert statements == [registry.DECIDE, usage.INSERT]


async def test_the_decision_is_a_prepared_statement(inside: None, echo: Core, anns_key: str) -> None:
    await answer(anns_key)
    await usage.flush()
    connections = await pool.acquire()
    found = []
    async with AsyncExitStack() as all_of_them:
        for _ in range(connections.get_stats()["pool_size"]):
            connection = await all_of_them.enter_async_context(connections.connection())
            cursor = await connection.execute("SELECT statement FROM pg_prepared_statements")
            found += [row[0] for row in await cursor.fetchall()]
    assert any("identity_live_key" in statement and "publishing_access" in statement for statement in found)


async def test_calls_that_wait_at_the_same_moment_are_decided_together(
    inside: None, echo: Core, anns_key: str, statements: list[str]
) -> None:
    await answer(anns_key)
    statements.clear()
    answers = await asyncio.gather(*(answer(anns_key) for _ in range(20)))
    assert {found[0] for found in answers} == {200}
    assert statements.count(registry.DECIDE) < 20


async def test_a_stream_holds_no_connection(inside: None, echo: Core, anns_key: str) -> None:
    await answer(anns_key)
    await usage.flush()
    frames = await answer(anns_key, json.dumps(hello(stream=True)).encode())
    assert isinstance(frames, Frames)
    statistics = (await pool.acquire()).get_stats()
    assert statistics["pool_available"] == statistics["pool_size"]
    assert b"".join([frame async for frame in frames.rest]).endswith(b"data: [DONE]\n\n")

"""Rows that are written together: one that cannot be kept, and a database that cannot keep any for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.utils import timezone

from chatapi import usage
from chatapi.models import UsageRecord
from publishing.db import pool

FUNCTION = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'somebody@example.com' USING ERRCODE = '{state}';
END $$
"""
TRIGGER = "CREATE TRIGGER refuse BEFORE INSERT ON chatapi_usagerecord FOR EACH ROW EXECUTE FUNCTION refuse()"
ACCEPT = "DROP FUNCTION IF EXISTS refuse() CASCADE"


def row(request_id: str, *, model: str = "scaicore/acme/echo-agent", tokens: int = 1) -> usage.UsageRow:
    ids = ("acme", "user_x", "apikey_x", "core_x", 1)
    return usage.UsageRow(timezone.now(), request_id, *ids, model, "chat", False, "ok", tokens, 1, 1, None)


@sync_to_async
def kept() -> set[str]:
    return set(UsageRecord.objects.values_list("request_id", flat=True))


@pytest.mark.parametrize(
    "bad",
    [row("bad", model="a\0b"), row("bad", tokens=2**70), row("bad", model="\ud800"), row("bad", model="x" * 1000)],
    ids=["NUL", "huge number", "lone surrogate", "too long"],
)
async def test_a_row_that_cannot_be_kept_loses_no_other(
    inside: None, caplog: pytest.LogCaptureFixture, bad: usage.UsageRow
) -> None:
    for one in (row("req_1"), row("req_2"), bad, row("req_3")):
        usage.record(one)
    await usage.flush()
    assert await kept() == {"req_1", "req_2", "req_3"}
    assert caplog.text.count("usage.lost") == 1


@pytest_asyncio.fixture
async def refusing(inside: None, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """A database that refuses every row with the SQLSTATE of the test's parameter."""
    await pool.rows(FUNCTION.format(state=request.param), [])
    await pool.rows(TRIGGER, [])
    yield
    await pool.rows(ACCEPT, [])


@pytest.mark.parametrize(
    ("refusing", "cause"),
    [
        ("53100", "the disk of the database server is full"),
        ("53200", "the database server is out of memory"),
        ("25006", "the database is read-only"),
        ("58030", "the database server cannot use its files"),
        ("57014", "the statement took longer"),
    ],
    indirect=["refusing"],
)
async def test_rows_wait_until_the_database_can_keep_them_and_the_log_says_why_they_do(
    refusing: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    monkeypatch.setattr(usage, "RETRY_S", 0.01)
    usage.record(row("req_1"))
    while "usage.delayed" not in caplog.text:
        await pool.rows("SELECT 1", [])
    await pool.rows(ACCEPT, [])
    await usage.flush()
    assert await kept() == {"req_1"}
    assert f"usage.delayed: {cause}" in caplog.text
    assert "example.com" not in caplog.text


async def test_the_first_row_is_written_at_once_and_those_behind_it_together(
    inside: None, settings: LazySettings, statements: list[str]
) -> None:
    settings.USAGE_GATHER_S = 60
    usage.record(row("req_1"))
    async with asyncio.timeout(20):
        while await kept() != {"req_1"}:  # noqa: ASYNC110  the database tells nobody
            await asyncio.sleep(0.01)
    for name in ("req_2", "req_3"):
        usage.record(row(name))
        await asyncio.sleep(0.01)
    assert await kept() == {"req_1"}
    await usage.flush()
    assert await kept() == {"req_1", "req_2", "req_3"}
    assert statements == [usage.INSERT, usage.INSERT]

"""Responses that callers have stored: read, deleted and gone on from by nobody but their user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from chatapi.errors import ContextTooLong
from chatapi.responses_api.items import Item
from publishing.db import pool
from publishing.process.cached_settings import settings
from publishing.strict_json import storable_json

TOO_LONG: Final = "The conversation that this call goes on from is longer than one request may be. Begin anew."
MOST_EARLIER: Final = 1_000  # responses that one conversation goes on from


class StoredResponseRow(NamedTuple):
    """A stored response. `is_running`: it is under way, or its process died so lately that nobody can tell."""

    id: str
    model: str
    status: str
    previous_id: str | None
    input: list[Item]
    response: dict[str, Any]
    is_running: bool


# What has become too old is gone at once, whenever it is removed. A run that was cut off with its process never ends:
# it counts as failed once no run may take that long.
READ = """
SELECT id, model, CASE WHEN status = 'in_progress' AND NOT is_running THEN 'failed' ELSE status END,
       previous_id, input::text, response::text, status = 'in_progress' AND is_running"""
LIVE = """ FROM (SELECT *, created_at > now() - make_interval(secs => %(deadline_s)s) AS is_running
      FROM chatapi_storedresponse
      WHERE user_id = %(user_id)s AND created_at > now() - make_interval(days => %(days)s)) AS mine"""
FIND = f"{READ}{LIVE} WHERE id = ANY (%(ids)s)"
# It goes back no further than to where the conversation would be larger than a request may be.
CHAIN = f"""
WITH RECURSIVE mine AS NOT MATERIALIZED (
    SELECT *, octet_length(input::text) + octet_length((response -> 'output')::text) AS size {LIVE}
),
chain AS (
    SELECT mine.*, 1 AS depth, size::bigint AS total FROM mine WHERE id = %(id)s
    UNION ALL
    SELECT mine.*, chain.depth + 1, chain.total + mine.size FROM chain JOIN mine ON mine.id = chain.previous_id
    WHERE chain.depth < %(most)s AND chain.total <= %(largest)s
)
{READ}, total FROM chain ORDER BY depth DESC
"""  # noqa: S608  put together of the constants above
# The guard is the user: nothing is kept for one who was deleted meanwhile.
KEEP = """
INSERT INTO chatapi_storedresponse (id, user_id, model, status, previous_id, input, response, created_at)
SELECT %(id)s, id, %(model)s, %(status)s, %(previous_id)s, %(input)s::jsonb, %(response)s::jsonb, now()
FROM identity_user WHERE id = %(user_id)s
"""
# One that was deleted while it was under way stays deleted.
END = """
UPDATE chatapi_storedresponse SET status = %(status)s, response = %(response)s::jsonb
WHERE id = %(id)s AND user_id = %(user_id)s
"""
DELETE = "DELETE FROM chatapi_storedresponse WHERE id = %(id)s AND user_id = %(user_id)s RETURNING id"
PRUNE = "DELETE FROM chatapi_storedresponse WHERE created_at < now() - make_interval(days => %s)"


async def find(user_id: str, ids: Sequence[str]) -> dict[str, StoredResponseRow]:
    """Those of these responses that the user has stored."""
    rows = await pool.rows(FIND, _values(user_id) | {"ids": list(ids)})
    return {row.id: row for row in map(_row, rows)}


async def find_chain(user_id: str, response_id: str) -> list[StoredResponseRow]:
    """The response and those that it went on from, the oldest first; it may lack what was removed. `ContextTooLong`
    where they are more than one conversation may hold."""
    bounds = {"most": MOST_EARLIER, "largest": settings.MAX_BODY_BYTES}
    rows = await pool.rows(CHAIN, _values(user_id) | bounds | {"id": response_id})
    if len(rows) >= MOST_EARLIER or any(row[-1] > settings.MAX_BODY_BYTES for row in rows):
        raise ContextTooLong(TOO_LONG)
    return [_row(row[:-1]) for row in rows]


async def keep(user_id: str, response: dict[str, Any], given: list[Item]) -> None:
    """Store the response. `given`: the items of its own request."""
    values = {name: response[name] for name in ("id", "model", "status")}
    values |= {"user_id": user_id, "previous_id": response["previous_response_id"]}
    await pool.rows(KEEP, values | {"input": storable_json(given), "response": storable_json(response)})


async def end(user_id: str, response: dict[str, Any]) -> None:
    """Store how the response, which was under way, has ended."""
    values = {"id": response["id"], "user_id": user_id, "status": response["status"]}
    await pool.rows(END, values | {"response": storable_json(response)})


async def delete(user_id: str, response_id: str) -> bool:
    """Remove a response; gives whether it was there."""
    return bool(await pool.rows(DELETE, {"id": response_id, "user_id": user_id}))


def _values(user_id: str) -> dict[str, Any]:
    return {"user_id": user_id, "days": settings.STORED_DAYS, "deadline_s": settings.RUN_DEADLINE_S}


def _row(row: tuple[Any, ...]) -> StoredResponseRow:
    response_id, model, status, previous_id, given, response, is_running = row
    shown = msgspec.json.decode(response) | {"status": status}
    return StoredResponseRow(response_id, model, status, previous_id, msgspec.json.decode(given), shown, is_running)

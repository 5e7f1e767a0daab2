"""Stored completions in the database. What has become too old is gone at once, whenever it is removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from chatapi.chat_request import ChatRequest
from chatapi.list_pages import ListQuery
from publishing.db import pool
from publishing.process.cached_settings import settings
from publishing.strict_json import storable_json


class StoredCompletionRow(NamedTuple):
    """A stored completion: the answer as it was given with its metadata, and what was asked."""

    id: str
    model: str
    completion: dict[str, Any]
    messages: list[dict[str, Any]]


MINE = """
FROM chatapi_storedcompletion AS kept
WHERE user_id = %(user_id)s AND created_at > now() - make_interval(days => %(days)s)
"""
SHOWN = "id, model, (completion || jsonb_build_object('metadata', metadata))::text"
FIND = f"SELECT {SHOWN}, messages::text {MINE} AND id = %(id)s"
# `models` is null for a key that is limited to none.
LIST = f"""
SELECT {SHOWN} {MINE}
AND (%(models)s::text[] IS NULL OR model = ANY (%(models)s)) AND metadata @> %(metadata)s::jsonb
"""
ASCENDING = f"""{LIST}
AND (%(after)s::text IS NULL OR (created_at, id) > (SELECT created_at, id {MINE} AND id = %(after)s))
ORDER BY created_at, id LIMIT %(most)s
"""
DESCENDING = f"""{LIST}
AND (%(after)s::text IS NULL OR (created_at, id) < (SELECT created_at, id {MINE} AND id = %(after)s))
ORDER BY created_at DESC, id DESC LIMIT %(most)s
"""
# The guard is the user: nothing is kept for one who was deleted meanwhile.
KEEP = """
INSERT INTO chatapi_storedcompletion (id, user_id, model, completion, messages, metadata, created_at)
SELECT %(id)s, id, %(model)s, %(completion)s::jsonb, %(messages)s::jsonb, %(metadata)s::jsonb, now()
FROM identity_user WHERE id = %(user_id)s
"""
LABEL = """
UPDATE chatapi_storedcompletion SET metadata = %(metadata)s::jsonb WHERE id = %(id)s AND user_id = %(user_id)s
"""
DELETE = "DELETE FROM chatapi_storedcompletion WHERE id = %(id)s AND user_id = %(user_id)s"
PRUNE = "DELETE FROM chatapi_storedcompletion WHERE created_at < now() - make_interval(days => %s)"


async def keep(user_id: str, request: ChatRequest, completion_id: str, body: bytes) -> None:
    """Store the answer in `body`, and what was asked."""
    values = {"id": completion_id, "user_id": user_id, "model": request.model}
    texts = {"messages": request.messages, "metadata": request.params.get("metadata") or {}}
    values |= {name: storable_json(value) for name, value in texts.items()}
    await pool.rows(KEEP, values | {"completion": storable_json(msgspec.json.decode(body))})


async def find(user_id: str, completion_id: str) -> StoredCompletionRow | None:
    """The completion of this id, if the user has stored it."""
    rows = await pool.rows(FIND, _values(user_id) | {"id": completion_id})
    for row_id, model, completion, messages in rows:
        return StoredCompletionRow(row_id, model, msgspec.json.decode(completion), msgspec.json.decode(messages))
    return None


async def find_all(
    user_id: str, query: ListQuery, *, models: Sequence[str] | None, metadata: dict[str, str]
) -> list[dict[str, Any]]:
    """The completions of the page, and one more where there are more. `models`: of these alone."""
    values = _values(user_id) | {"after": query.after, "most": query.limit + 1}
    values |= {"models": None if models is None else list(models), "metadata": storable_json(metadata)}
    rows = await pool.rows(DESCENDING if query.is_descending else ASCENDING, values)
    return [msgspec.json.decode(completion) for _, _, completion in rows]


async def label(user_id: str, completion_id: str, metadata: dict[str, str]) -> None:
    """Replace the metadata."""
    values = {"id": completion_id, "user_id": user_id, "metadata": storable_json(metadata)}
    await pool.rows(LABEL, values)


async def delete(user_id: str, completion_id: str) -> None:
    """Remove the completion."""
    await pool.rows(DELETE, {"id": completion_id, "user_id": user_id})


def _values(user_id: str) -> dict[str, Any]:
    return {"user_id": user_id, "days": settings.STORED_DAYS}

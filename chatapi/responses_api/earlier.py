"""What a request goes on from: the conversation behind `previous_response_id`, and items that are only referred to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chatapi import auth
from chatapi.errors import ResponseRunning, ResponseUnknown, refused_field
from chatapi.responses_api import items, stored_responses
from chatapi.responses_api.items import Item
from chatapi.responses_api.response_object import response_id_in
from chatapi.responses_api.stored_responses import StoredResponseRow
from publishing.registry import AccessDecision

FIELD = "previous_response_id"


async def find_one(authorization: str | None, response_id: str) -> tuple[str, StoredResponseRow]:
    """The id of the user whose key it is, and the response of theirs; `ResponseUnknown` when there is none."""
    caller = await auth.identify(authorization)
    user_id = caller.user_id or ""
    found = (await stored_responses.find(user_id, [response_id])).get(response_id)
    if found is None or not await auth.is_named(authorization, {found.model}):
        raise ResponseUnknown
    return user_id, found


async def history(caller: AccessDecision, authorization: str | None, response_id: str | None) -> list[tuple[str, Item]]:
    """The items of the conversation that ends with this response, all with the path of the field that names it."""
    if response_id is None:
        return []
    chain = await stored_responses.find_chain(caller.user_id or "", response_id)
    if not chain or not await auth.is_named(authorization, {row.model for row in chain}):
        raise ResponseUnknown(param=FIELD)
    if chain[0].previous_id is not None:
        raise ResponseUnknown("An earlier response of this conversation is no longer stored.", param=FIELD)
    for row in chain:
        if row.is_running:
            raise ResponseRunning(param=FIELD)
        if row.status not in ("completed", "incomplete"):
            message = f"The response that `{FIELD}` names is {row.status}. Go on from a completed one."
            raise refused_field(FIELD, message)
    return [(FIELD, item) for row in chain for item in (*row.input, *row.response["output"])]


async def fill_in(caller: AccessDecision, authorization: str | None, given: Sequence[Item]) -> list[Item]:
    """The items, with what was only referred to in full."""
    referred = items.referred(given)
    if not referred:
        return list(given)
    rows = await stored_responses.find(caller.user_id or "", sorted(set(map(response_id_in, referred))))
    may_read = await auth.is_named(authorization, {row.model for row in rows.values()})
    known = {item["id"]: item for row in rows.values() if may_read for item in _all_items(row)}
    return [_resolved(item, known) for item in given]


def _all_items(row: StoredResponseRow) -> Iterable[Item]:
    return (*row.input, *row.response["output"])


def _resolved(item: Item, known: dict[str, Item]) -> Item:
    if item["type"] != "item_reference":
        return item
    if item["id"] not in known:
        message = f"`{item['path']}` refers to `{item['id'][:64]}`, which is not stored for you. Send the item itself."
        raise ResponseUnknown(message, param=item["path"])
    return known[item["id"]]

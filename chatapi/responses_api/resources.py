"""What can be done with a stored response: it is read, deleted, cancelled, and its input is listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chatapi.errors import refused_field
from chatapi.responses_api import earlier, stored_responses
from chatapi.responses_api.items import Item

MOST: Final = 100
DEFAULT: Final = 20


async def read(authorization: str | None, response_id: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The response as it was given."""
    _, row = await earlier.find_one(authorization, response_id)
    if query.get("stream", "").lower() in ("true", "1"):
        message = "A stream is read while it is made, and not again. Leave `stream` out."
        raise refused_field("stream", message, "unsupported_parameter")
    return row.response


async def delete(authorization: str | None, response_id: str) -> dict[str, Any]:
    """Remove the response; what went on from it has no beginning any more."""
    user_id, _ = await earlier.find_one(authorization, response_id)
    await stored_responses.delete(user_id, response_id)
    return {"id": response_id, "object": "response", "deleted": True}


async def cancel(authorization: str | None, response_id: str) -> dict[str, Any]:
    """Refused for every response, as OpenAI does for those that are not made in the background."""
    await earlier.find_one(authorization, response_id)
    message = "Only responses made in the background can be cancelled, and none is here. Close the stream instead."
    raise refused_field("response_id", message, "unsupported_parameter")


async def list_input(authorization: str | None, response_id: str, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the items of the response's own request, the last one first unless the caller says otherwise."""
    _, row = await earlier.find_one(authorization, response_id)
    limit, order = _limit(query.get("limit")), query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise refused_field("order", "`order` must be `asc` or `desc`.")
    found = row.input if order == "asc" else row.input[::-1]
    return page(_behind(found, query.get("after")), limit)


def page(found: list[Item], limit: int) -> dict[str, Any]:
    """One page of a list, as OpenAI's clients read it."""
    shown = found[:limit]
    first, last = (shown[0]["id"], shown[-1]["id"]) if shown else ("", "")
    more = {"first_id": first, "last_id": last, "has_more": len(found) > limit}
    return {"object": "list", "data": shown, **more}


def _behind(found: list[Item], after: str | None) -> list[Item]:
    if after is None:
        return found
    places = [index for index, item in enumerate(found) if item["id"] == after]
    if not places:
        raise refused_field("after", "`after` must be the id of an item of this list.")
    return found[places[0] + 1 :]


def _limit(given: str | None) -> int:
    if given is None:
        return DEFAULT
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given[:9]) <= MOST:
        raise refused_field("limit", f"`limit` must be a whole number from 1 to {MOST}.")
    return int(given)

"""Lists as OpenAI's clients page through them: `limit`, `order`, and `after`, the last id of the page before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from chatapi.errors import refused_field

MOST: Final = 100
DEFAULT: Final = 20


class ListQuery(NamedTuple):
    """Which page is asked for."""

    limit: int
    is_descending: bool
    after: str | None


def read(query: Mapping[str, str], *, order: str) -> ListQuery:
    """What the query asks for; `order` where it says nothing. Raises `FieldInvalid`."""
    given = query.get("order", order)
    if given not in ("asc", "desc"):
        raise refused_field("order", "`order` must be `asc` or `desc`.")
    return ListQuery(_limit(query.get("limit")), given == "desc", query.get("after"))


def cut(things: Sequence[dict[str, Any]], query: ListQuery) -> dict[str, Any]:
    """The page of a list that is there as a whole, in its own order."""
    ordered = list(things[::-1] if query.is_descending else things)
    if query.after is None:
        return page(ordered, query.limit)
    places = [index for index, thing in enumerate(ordered) if thing["id"] == query.after]
    if not places:
        raise unknown_after()
    return page(ordered[places[0] + 1 :], query.limit)


def page(found: Sequence[dict[str, Any]], limit: int) -> dict[str, Any]:
    """The first page of `found`, which may hold more."""
    shown = list(found[:limit])
    first, last = (shown[0]["id"], shown[-1]["id"]) if shown else ("", "")
    return {"object": "list", "data": shown, "first_id": first, "last_id": last, "has_more": len(found) > limit}


def unknown_after() -> Exception:
    """The refusal of an `after` that is no place in the list."""
    return refused_field("after", "`after` must be the id of something on this list.")


def _limit(given: str | None) -> int:
    if given is None:
        return DEFAULT
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given[:9]) <= MOST:
        raise refused_field("limit", f"`limit` must be a whole number from 1 to {MOST}.")
    return int(given)

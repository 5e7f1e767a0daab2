"""What can be done with a stored response: it is read, deleted, cancelled, and its input is listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatapi import list_pages
from chatapi.errors import refused_field
from chatapi.responses_api import earlier, stored_responses


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
    return list_pages.cut(row.input, list_pages.read(query, order="desc"))

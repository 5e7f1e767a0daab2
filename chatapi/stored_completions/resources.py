"""What can be done with stored completions: they are listed, read, labelled and deleted, and their messages listed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from chatapi import auth, chat_messages, chat_request, field_refusals, list_pages
from chatapi.chat_request import Metadata
from chatapi.errors import CompletionUnknown
from chatapi.stored_completions import stored_completions
from chatapi.stored_completions.stored_completions import StoredCompletionRow
from publishing import registry

_FILTER: Final = re.compile(r"metadata\[(.{1,64})\]", re.DOTALL)
SHOWN_PARTS: Final = ("text", "image_url")


class MetadataBody(Struct):
    """What may be changed of a stored completion."""

    metadata: Metadata | None


async def list_all(authorization: str | None, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the user's completions, the oldest first unless the caller says otherwise."""
    caller = await auth.identify(authorization)
    user_id, wanted = caller.user_id or "", list_pages.read(query, order="asc")
    if wanted.after is not None and await stored_completions.find(user_id, wanted.after) is None:
        raise list_pages.unknown_after()
    models = {query["model"]} if query.get("model") else None
    if not caller.is_named:  # a limited key sees what it may call
        callable_now = {model.name for model in await registry.callable_models(caller.key_id or "")}
        models = callable_now if models is None else callable_now & models
    metadata = {named[1]: value for name, value in query.items() if (named := _FILTER.fullmatch(name))}
    found = await stored_completions.find_all(
        user_id, wanted, models=None if models is None else sorted(models), metadata=metadata
    )
    return list_pages.page(found, wanted.limit)


async def read(authorization: str | None, completion_id: str) -> dict[str, Any]:
    """The completion as it was given."""
    _, row = await _find(authorization, completion_id)
    return row.completion


async def label(authorization: str | None, completion_id: str, body: bytes) -> dict[str, Any]:
    """The completion with the metadata in `body` in place of its own."""
    user_id, row = await _find(authorization, completion_id)
    try:
        given = msgspec.convert(chat_request.json_object(body), MetadataBody)
    except msgspec.ValidationError as error:
        raise field_refusals.explain(error) from None
    metadata = given.metadata or {}
    await stored_completions.label(user_id, completion_id, metadata)
    return row.completion | {"metadata": metadata}


async def delete(authorization: str | None, completion_id: str) -> dict[str, Any]:
    """Remove the completion."""
    user_id, _ = await _find(authorization, completion_id)
    await stored_completions.delete(user_id, completion_id)
    return {"object": "chat.completion.deleted", "id": completion_id, "deleted": True}


async def list_messages(authorization: str | None, completion_id: str, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of what was asked, in its order unless the caller says otherwise."""
    _, row = await _find(authorization, completion_id)
    shown = [_shown(f"{completion_id}-{index}", said) for index, said in enumerate(row.messages)]
    return list_pages.cut(shown, list_pages.read(query, order="asc"))


async def _find(authorization: str | None, completion_id: str) -> tuple[str, StoredCompletionRow]:
    caller = await auth.identify(authorization)
    user_id = caller.user_id or ""
    row = await stored_completions.find(user_id, completion_id)
    if row is None or not await auth.is_named(authorization, {row.model}):
        raise CompletionUnknown
    return user_id, row


def _shown(message_id: str, said: dict[str, Any]) -> dict[str, Any]:
    """A message with its text, and with its parts where it came in parts."""
    text, parts = said.get("content"), None
    if isinstance(text, list):
        parts = [part for part in text if part.get("type") in SHOWN_PARTS]
        text = chat_messages.text_of(msgspec.convert(said, chat_messages.Message))
    return {"id": message_id, "refusal": None, **said, "content": text, "content_parts": parts}

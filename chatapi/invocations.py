"""A Core called with an input of the caller's own: the chat's decision, the chat's run, the module's envelope."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import msgspec

from chatapi import auth, chat_request, completions, errors
from chatapi.completions import JSON, Whole
from chatapi.errors import AccessDenied, BodyInvalid, ChatError, FieldInvalid, KeyInvalid, ModelUnknown, refused_field
from publishing.models import Publication

# Where the module has words of its own; all else keeps the chat's status and code.
MODULE_WORDS: dict[type[ChatError], tuple[int, str]] = {
    KeyInvalid: (401, "AUTH_TOKEN_INVALID"),
    AccessDenied: (403, "AUTHZ_PERMISSION_DENIED"),
    ModelUnknown: (404, "CORE_NOT_FOUND"),
    BodyInvalid: (422, "VALIDATION_ERROR"),
    FieldInvalid: (422, "VALIDATION_ERROR"),
}
NO_CORE = "The Core does not exist, or it is not published."


async def answer(
    authorization: str | None, core_id: str, headers: Mapping[str, str], body: bytes, *, request_id: str
) -> Whole:
    """The answer to one invocation; never raises but on cancellation."""
    try:
        name = await _name(core_id)
        try:
            asked = parse(body, headers, model=name)
        except ChatError:
            await auth.authenticate(authorization)  # a stranger is told nothing about the body
            raise
        run, core = await completions.begun(authorization, asked, request_id)
        async with aclosing(run), aclosing(run.text()) as pieces:
            async for _ in pieces:
                pass
    except Exception as error:
        return failed(error, request_id, authorization)
    told = {"core_id": core_id, "version": core.number, "output": run.output, "usage": run.tokens}
    return written(200, {"status": "ok", "data": told, "meta": {"request_id": request_id}}, request_id)


async def refuse(authorization: str | None, error: ChatError, *, request_id: str) -> Whole:
    """The answer to a request whose headers were enough to refuse it; the key is looked at first all the same."""
    try:
        await auth.authenticate(authorization)
    except Exception as earlier:
        return failed(earlier, request_id, authorization)
    return failed(error, request_id)


def failed(error: Exception, request_id: str, authorization: str | None = "") -> Whole:
    """The answer that tells of `error` in the module's envelope."""
    refusal = completions.refusal_of(error, request_id)
    row = errors.ANSWERS[type(refusal)]
    status, code = MODULE_WORDS.get(type(refusal), (row.status, row.code.upper()))
    if isinstance(refusal, KeyInvalid) and not authorization:
        code = "AUTH_TOKEN_MISSING"
    message = NO_CORE if isinstance(refusal, ModelUnknown) else refusal.message or row.message
    details = [{"field": refusal.param or "body", "message": message}] if code == "VALIDATION_ERROR" else []
    told = {"code": code, "message": message, "details": details}
    return written(
        status, {"status": "error", "error": told, "meta": {"request_id": request_id}}, request_id, row.headers
    )


def parse(body: bytes, headers: Mapping[str, str], *, model: str) -> chat_request.Invocation:
    """The invocation in `body` of the Core that is published as `model`."""
    raw = chat_request.json_object(body)
    given = raw.get("input")
    if not isinstance(given, dict):
        raise refused_field("input", 'Send the call\'s input as an object, such as {"message": "hello"}.')
    entity_id = raw.get("entity_id")
    if entity_id is not None and not isinstance(entity_id, str):
        raise refused_field("entity_id", "`entity_id` must be a string.", "invalid_type")
    return chat_request.invocation(
        model, given, chat_request.entity_id_of(entity_id, headers), body=body, headers=headers
    )


async def _name(core_id: str) -> str:
    """The name under which a Core is called; empty, which nothing is called, when it is not published."""
    if "\0" in core_id:
        return ""
    return await Publication.objects.filter(core=core_id).values_list("name", flat=True).afirst() or ""


def written(status: int, told: Any, request_id: str, more: Mapping[str, str] | None = None) -> Whole:
    """An answer of the module's, as JSON."""
    headers = JSON | {"x-request-id": request_id} | dict(more or {})
    return Whole(status, headers, msgspec.json.encode(told))

"""The headers of a call: what they declare of its body, and which call it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from chatapi.errors import BodyTooLarge, MediaTypeInvalid, refused_field

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
MAX_ENTITY_ID: Final = 128
MAX_IDEMPOTENCY_KEY: Final = 255
ENCODED: Final = "Send the body as it is, without `Content-Encoding`: compressed bodies are not read."
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check(headers: Mapping[str, str], *, limit: int) -> None:
    """Refuse by what the headers declare, before a byte of the body is read. `limit` in bytes."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise MediaTypeInvalid(ENCODED)
    media_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not re.fullmatch(r"application/[\w.-]+\+json", media_type):
        raise MediaTypeInvalid
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limit:
        raise BodyTooLarge


def entity_id(given: str | None, headers: Mapping[str, str]) -> str | None:
    """The entity that a call names, in its body or else in its headers."""
    named = given if given is not None else _header("x-entity-id", headers)
    if named is None:
        return None
    if not 1 <= len(named) <= MAX_ENTITY_ID or _CONTROL.search(named):
        raise refused_field(
            "entity_id", f"`entity_id` must have 1 to {MAX_ENTITY_ID} characters, none of them a control character."
        )
    return named


def idempotency_key(headers: Mapping[str, str]) -> str | None:
    """The key under which a caller asks for the same answer again."""
    key = _header("idempotency-key", headers)
    if key is not None and (not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY or _CONTROL.search(key)):
        raise refused_field(
            "Idempotency-Key",
            f"The header `Idempotency-Key` must have 1 to {MAX_IDEMPOTENCY_KEY} printable characters.",
        )
    return key


def is_retry(headers: Mapping[str, str]) -> bool:
    """Whether an OpenAI SDK says that it sends this request again; a new turn carries 0 or no header."""
    count = headers.get("x-stainless-retry-count", "0")
    return count.isdecimal() and int(count) >= 1


def task(headers: Mapping[str, str]) -> str | None:
    """What a chat front end says that the call is for, where it is for itself."""
    return _header("x-openwebui-task", headers)


def _header(name: str, headers: Mapping[str, str]) -> str | None:
    """The header's value. An empty one counts as not sent: front ends fill in a value that they may not have."""
    return headers.get(name, "").strip(" \t") or None

"""The many shapes in which servers say what is wrong: the error object, the sentence for people, the time to wait."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

MOST_DEPTH: Final = 6
LONGEST_PART: Final = 4_000
LONGEST_WAIT_S: Final = 86_400.0

# The field under which the sentence stands, the most telling first.
_SENTENCES: Final = ("message", "msg", "detail", "details", "error", "errors", "error_description", "title")
_TAG: Final = re.compile(r"<(script|style)\b.*?</\1>|<[^>]{0,500}>", re.DOTALL | re.IGNORECASE)
_RETRY_DELAY: Final = re.compile(rb'"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"')


def error_object(said: Any) -> dict[str, Any]:
    """The innermost object that describes the error: some servers wrap it, some send a list of one."""
    for _ in range(MOST_DEPTH):
        if isinstance(said, list):
            said = said[0] if said else None
        if not isinstance(said, dict):
            return {}
        inner = next((said[name] for name in ("error", "message") if isinstance(said.get(name), dict | list)), None)
        if inner is None:
            return said
        said = inner
    return {}


def sentence(said: Any, depth: int = 0) -> str:
    """What a person would read of it."""
    if isinstance(said, str):
        return _TAG.sub(" ", said[:LONGEST_PART])
    if depth > MOST_DEPTH:
        return ""
    if isinstance(said, list):
        return "; ".join(filter(None, (sentence(item, depth + 1) for item in said[:5])))
    if not isinstance(said, dict):
        return ""
    place = said.get("loc")
    where = ".".join(map(str, place)) + ": " if isinstance(place, list) else ""
    own = next((found for name in _SENTENCES if (found := sentence(said.get(name), depth + 1))), "")
    # A broker hands on what its own provider said.
    passed_on = said["metadata"].get("raw") if isinstance(said.get("metadata"), dict) else None
    return where + " ".join(filter(None, (own, sentence(passed_on, depth + 1))))


def retry_after(headers: Mapping[str, str], body: bytes = b"") -> float | None:
    """How many seconds the server asks to wait; None when it does not say."""
    millis, wait = headers.get("retry-after-ms", ""), headers.get("retry-after", "").strip()
    delay = _RETRY_DELAY.search(body)
    for text, unit in ((millis, 0.001), (wait, 1.0), (delay[1].decode() if delay else "", 1.0)):
        if text.replace(".", "", 1).isdecimal() and text.isascii():
            return min(float(text) * unit, LONGEST_WAIT_S)
    try:
        return min(max(0.0, parsedate_to_datetime(wait).timestamp() - time.time()), LONGEST_WAIT_S)
    except (ValueError, TypeError):
        return None

"""JSON from outside, refused before it can hurt: nothing that PostgreSQL, a log or a recursion could choke on."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import msgspec

from identity.errors import Invalid, Problem

DEEPEST = 64
_decoder = msgspec.json.Decoder()
# The escape itself, not an escaped backslash with the text u0000 behind it.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_NUL_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_HALF = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")


class InvalidJson(Invalid):
    """The body is not a JSON object that can be kept; the message is a fixed sentence that says why."""

    api = (400, "invalid_json")
    fix = "Send a JSON object, such as {}."

    def __init__(self, message: str) -> None:
        super().__init__(message, [Problem("body", self.fix)])


def loads(body: bytes) -> Any:
    """The value in `body`. Refused: bad syntax, NaN and Infinity, depth over 64, lone surrogates, NUL characters."""
    try:
        value = _decoder.decode(body)
    except RecursionError:
        raise InvalidJson(f"The JSON is nested deeper than {DEEPEST} levels.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidJson(f"This is not valid JSON: {_reason(error, body)}.") from None
    # Most bodies cannot break these two rules, and a glance at the bytes shows it.
    if body.count(b"[") + body.count(b"{") > DEEPEST and _is_too_deep(value):
        raise InvalidJson(f"The JSON is nested deeper than {DEEPEST} levels.")
    if b"\\u0000" in body and _NUL.search(body):
        raise InvalidJson("The JSON contains a NUL character.")
    return value


def storable_json(value: Any) -> str:
    """`value` as JSON that PostgreSQL keeps: it takes no NUL, and what was paid for must not be lost over one."""
    return _NUL_ESCAPE.sub(r"\1", msgspec.json.encode(value).decode())


def load(path: Path) -> Any:
    """The value in a file, which may begin with a byte order mark. Raises InvalidJson and OSError."""
    return loads(path.read_bytes().removeprefix(BOM_UTF8))


def _reason(error: Exception, body: bytes) -> str:
    """What is wrong and at which byte, counted from 0; never what stands there."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 (byte {_find_bad_byte(body)})"
    if str(error) != "Input data was truncated":
        return str(error).removeprefix("JSON is malformed: ")
    half = _HALF.search(body)  # the decoder waits for the other half
    return f"half a surrogate pair (byte {half.start()})" if half else f"it ends too early (byte {len(body)})"


def _find_bad_byte(body: bytes) -> int:
    """The decoder's own position is one within the text that it was reading."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(body)


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True

"""Plain JSON data, of which documents, scopes, states and programs are made."""

import json
import math
from typing import Any, Final

import msgspec

# JSON data cannot be given an exact type that both mypy and the callers' dicts agree on: it is checked at the edge.
Json = Any

MAX_DEPTH: Final = 64
MAX_VALUES: Final = 1_000_000

_ENCODER = msgspec.json.Encoder()


def compact(value: Json) -> str:
    """The text of a value: text as it is, anything else as compact JSON."""
    return value if isinstance(value, str) else encode(value)


def encode(value: Json) -> str:
    """The value as compact JSON."""
    try:
        return _ENCODER.encode(value).decode()
    except (UnicodeError, OverflowError, msgspec.MsgspecError):
        # Lone surrogates and integers beyond 64 bits: legal in Python's JSON, unknown to msgspec.
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def defect(value: object) -> tuple[str, str] | None:
    """`(path, what is wrong)` of the first part that is not plain JSON data, or None.

    Walks without recursion and stops at `MAX_VALUES`, so that neither depth nor shared parts can keep it busy.
    """
    stack: list[tuple[object, str, int]] = [(value, "", 0)]
    seen = 0  # counts a part again wherever it is shared: written as JSON, it would be there as often
    while stack:
        part, path, depth = stack.pop()
        seen += 1
        if seen > MAX_VALUES:
            return path, f"there are more than {MAX_VALUES} values"
        if isinstance(part, dict | list):
            if depth >= MAX_DEPTH:
                return path, f"it nests deeper than {MAX_DEPTH} levels"
            if isinstance(part, dict):
                for key, item in part.items():
                    if not isinstance(key, str) or _text_defect(key):
                        return path, "a key is not plain text"
                    stack.append((item, f"{path}.{key}" if path else key, depth + 1))
            else:
                stack.extend((item, f"{path}[{index}]", depth + 1) for index, item in enumerate(part))
        elif wrong := _scalar_defect(part):
            return path, wrong
    return None


def _scalar_defect(part: object) -> str | None:
    if isinstance(part, str):
        return _text_defect(part)
    if part is None or isinstance(part, bool | int):
        return None
    if isinstance(part, float):
        return None if math.isfinite(part) else "the number is not finite"
    return "it is not JSON data"


def _text_defect(text: str) -> str | None:
    # PostgreSQL stores neither in a jsonb column.
    if "\0" in text:
        return "the text holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "the text holds half of a surrogate pair"
    return None


def size(value: Json, limit: int) -> int:
    """About how many characters a value has as JSON; counting stops soon after `limit`."""
    if isinstance(value, str):
        return len(value)
    # An estimate: encoding every result only to count it would cost more than many nodes themselves.
    total = 0
    stack = [value]
    while stack and total <= limit:
        part = stack.pop()
        if isinstance(part, str):
            total += len(part) + 2
        elif isinstance(part, dict):
            total += 2 + sum(len(key) + 4 for key in part)
            stack.extend(part.values())
        elif isinstance(part, list):
            total += 2 + len(part)
            stack.extend(part)
        else:
            total += 8
    return total

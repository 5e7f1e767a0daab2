"""What a trace keeps of a node's result."""

from typing import Final

from scaicore.jsondata import Json, compact, encode, size

MAX_TRACED: Final = 4_096  # bytes of JSON


def traced(result: Json) -> Json:
    """The result itself if its JSON has at most 4 KiB, else the beginning of its text, ended by `…`."""
    if size(result, 2 * MAX_TRACED) <= MAX_TRACED and len(_bytes(encode(result))) <= MAX_TRACED:
        return result
    text = compact(_beginning(result, [MAX_TRACED]))
    # Escapes make JSON longer than its text: cut until it fits.
    text = _bytes(text)[:MAX_TRACED].decode(errors="ignore")
    while len(_bytes(encode(text))) > MAX_TRACED - 3:
        text = text[: len(text) * 9 // 10]
    return text + "…"


def _beginning(value: Json, left: list[int]) -> Json:
    """The value as far as `left` characters reach."""
    if isinstance(value, str):
        left[0] -= min(len(value), MAX_TRACED)
        return value[:MAX_TRACED]
    left[0] -= 4
    if isinstance(value, list):
        return [_beginning(item, left) for item in value if left[0] > 0]
    if isinstance(value, dict):
        return {_beginning(key, left): _beginning(item, left) for key, item in value.items() if left[0] > 0}
    return value


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")

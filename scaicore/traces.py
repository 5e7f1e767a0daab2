"""What a trace keeps of a node's result."""

from base64 import b64decode
from hashlib import sha256
from typing import Final

from scaicore.jsondata import Json, compact, encode, size

_DATA: Final = "data:"
_HOLDERS: Final = {"input_audio": "data", "file": "file_data"}
MAX_TRACED: Final = 4_096  # bytes of JSON


def traced(result: Json) -> Json:
    """The result itself if its JSON has at most 4 KiB, else the beginning of its text, ended by `…`.

    Of an image, a sound or a file in it the size and the digest are kept, never the bytes.
    """
    if size(result, 2 * MAX_TRACED) <= MAX_TRACED and len(_bytes(encode(result))) <= MAX_TRACED:
        return _beginning(result, [10 * MAX_TRACED])
    text = compact(_beginning(result, [MAX_TRACED]))
    # Escapes make JSON longer than its text: cut until it fits.
    text = _bytes(text)[:MAX_TRACED].decode(errors="ignore")
    while len(_bytes(encode(text))) > MAX_TRACED - 3:
        text = text[: len(text) * 9 // 10]
    return text + "…"


def _without_bytes(key: str, value: Json) -> Json:
    """The value of `key`; where it is a sound or a file, without what it holds in plain base64."""
    name = _HOLDERS.get(key)
    if name is None or not isinstance(value, dict) or not isinstance(held := value.get(name), str):
        return value
    return value | {name: _told(held)}


def _told(data: str) -> str:
    head, separator, text = data.rpartition(",")
    try:
        content = b64decode(text)
    except ValueError:
        content = text.encode(errors="replace")
    return f"{head}{separator}({len(content)} bytes, sha256 {sha256(content).hexdigest()})"


def _beginning(value: Json, left: list[int]) -> Json:
    """The value as far as `left` characters reach."""
    if isinstance(value, str):
        value = _told(value) if value.startswith(_DATA) else value
        left[0] -= min(len(value), MAX_TRACED)
        return value[:MAX_TRACED]
    left[0] -= 4
    if isinstance(value, list):
        return [_beginning(item, left) for item in value if left[0] > 0]
    if isinstance(value, dict):
        kept = ((key, _without_bytes(key, item)) for key, item in value.items() if left[0] > 0)
        return {_beginning(key, left): _beginning(item, left) for key, item in kept}
    return value


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")

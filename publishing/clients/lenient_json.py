"""JSON from servers that write it carelessly: halved characters, bytes that are no UTF-8, bare control characters."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

_MARK: Final = b"\xef\xbb\xbf"
_decoder: Final = msgspec.json.Decoder()


def loads(data: bytes) -> Any:
    """The value in `data`. Halves of characters stay in it as lone surrogates, as `text_halves` takes them.

    Raises ValueError when it is no JSON at all.
    """
    data = data.removeprefix(_MARK)
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    except RecursionError:
        raise ValueError from None
    try:
        return json.loads(data.decode(errors="surrogateescape"), strict=False)
    except RecursionError:
        raise ValueError from None

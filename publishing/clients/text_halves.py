"""Characters that a server cut in two between chunks, put together again; what stays half is U+FFFD."""

from __future__ import annotations

import codecs
import re
from typing import Final

# What bytes that are no UTF-8 become under `surrogateescape` is U+DC80 to U+DCFF; every other lone half is nothing.
_LONE: Final = re.compile("[\ud800-\udbff\udc00-\udc7f\udd00-\udfff]")
_BEGUN: Final = re.compile("[\ud800-\udbff]\\Z")
_CODE: Final = "utf-16-le"


class HalfJoiner:
    """Takes text that may hold halves of surrogate pairs, and bytes that were read under `surrogateescape`."""

    def __init__(self) -> None:
        self._half = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._is_waiting = False

    def feed(self, text: str) -> str:
        """The whole characters so far, without NUL: the database takes none."""
        if not self._is_waiting and text.isascii():
            return text.replace("\0", "")
        text, self._half = self._half + text, ""
        if _BEGUN.search(text, len(text) - 1):
            text, self._half = text[:-1], text[-1]
        joined = text.encode(_CODE, "surrogatepass").decode(_CODE, "surrogatepass")
        found = self._decoder.decode(_LONE.sub("\ufffd", joined).encode(errors="surrogateescape"))
        self._is_waiting = bool(self._half or self._decoder.getstate()[0])
        return found.replace("\0", "")

    def rest(self) -> str:
        """What the half that still waits becomes."""
        half, self._half = self._half, ""
        return self._decoder.decode(b"", final=True) + ("\ufffd" if half else "")

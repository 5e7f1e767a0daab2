"""Answers that come compressed although plain bytes were asked for, unpacked piece by piece: none grows unseen."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from scaicore.services import ServiceFailed

HEAD_BYTES: Final = 2  # how many bytes tell a compressed body from a plain one
STEP_BYTES: Final = 65_536

_GZIP: Final = b"\x1f\x8b"
_GZIP_NAMES: Final = frozenset(("gzip", "x-gzip"))
_UNREADABLE: Final = frozenset(("br", "zstd", "compress", "x-compress"))
_EITHER: Final = 32 + zlib.MAX_WBITS  # a gzip or a zlib header
_BARE: Final = -zlib.MAX_WBITS
# What no server means when it says `text/…` or JSON; a file that is an archive keeps its bytes.
_TEXTUAL: Final = ("text/", "application/json", "application/x-ndjson", "application/problem+json", "application/xml")


class Unpacker:
    """Undoes one compression."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._inflater = zlib.decompressobj(wbits)

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """What `packed` adds, in pieces of at most `STEP_BYTES`. Raises ServiceFailed where it is damaged."""
        try:
            yield from self._inflated(packed)
        except zlib.error:
            raise ServiceFailed("upstream_failed") from None

    def _inflated(self, packed: bytes) -> Iterator[bytes]:
        while True:
            plain = self._inflater.decompress(packed, STEP_BYTES)
            packed = self._inflater.unconsumed_tail
            if plain:
                yield plain
            if self._inflater.eof:
                packed = self._inflater.unused_data
                if not packed.startswith(_GZIP):
                    return  # the end; padding behind it is nobody's
                self._inflater = zlib.decompressobj(self._wbits)
            elif not packed and len(plain) < STEP_BYTES:
                return


def unpacker(encoding: str, kind: str, head: bytes) -> Unpacker | None:
    """What unpacks a body of media type `kind` that begins with `head`; None when it is plain.

    `encoding` is its `Content-Encoding`. The bytes have the last word: proxies pack without saying so, and unpack
    without saying so. Raises ServiceFailed for a compression that is not understood here.
    """
    names = {name.strip().lower() for name in encoding.split(",")}
    if names & _UNREADABLE:
        raise ServiceFailed("upstream_failed")
    if head.startswith(_GZIP):
        is_meant = names & _GZIP_NAMES or not kind or kind.startswith(_TEXTUAL)
        return Unpacker(_EITHER) if is_meant else None
    if "deflate" in names:
        return Unpacker(_EITHER if _has_zlib_header(head) else _BARE)
    return None


def _has_zlib_header(head: bytes) -> bool:
    return len(head) == HEAD_BYTES and head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head) % 31 == 0

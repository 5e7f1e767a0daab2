"""Images from elsewhere: what their first bytes say that they are, and fetched by the one checked way out.

Nothing is unpacked here: the size of a picture stands at its beginning, and one that would be huge is refused by that.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Final, NamedTuple

from django.conf import settings

from publishing import outbound
from scaicore.services import Reason, ServiceFailed

MOST_BYTES: Final = 10_000_000
MOST_SIDE: Final = 16_384
MOST_PIXELS: Final = 64_000_000
LONGEST_S: Final = 15.0
KINDS: Final = "PNG, JPEG, GIF or WebP"

_FAILURES: Final[dict[Reason, str]] = {
    "refused_address": "leads to an address that is not called from here",
    "timed_out": "did not answer in time",
    "unreachable": "cannot be reached",
    "too_large": f"is larger than {MOST_BYTES} bytes",
}
# The frame headers of a JPEG; between them C4, C8 and CC mean something else.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE: Final = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length


class ImageRefused(ValueError):
    """The image is not one that is passed on; the text ends a sentence about it."""


class Image(NamedTuple):
    """An image as it came, with what it says of itself."""

    media_type: str
    width: int
    height: int
    data: bytes


def read(data: bytes) -> Image:
    """The image in `data`. Raises ImageRefused for what is none, or too large."""
    if len(data) > MOST_BYTES:
        raise ImageRefused(_FAILURES["too_large"])
    try:
        found = _read(data)
    except (struct.error, IndexError):
        found = None
    if found is None:
        raise ImageRefused(f"is no {KINDS} image")
    media_type, width, height = found
    if not (0 < width <= MOST_SIDE and 0 < height <= MOST_SIDE and width * height <= MOST_PIXELS):
        most = f"at most {MOST_SIDE} a side and {MOST_PIXELS} in all are taken"
        raise ImageRefused(f"has {width} × {height} pixels; {most}")
    return Image(media_type, width, height, data)


async def fetch(url: str) -> Image:
    """The image at an https URL, redirects followed. Raises ImageRefused."""
    until = asyncio.get_running_loop().time() + LONGEST_S
    hosts = frozenset(entry.lower() for entry in settings.IMAGE_ALLOWED_HOSTS)
    try:
        request = outbound.outgoing("GET", url, {"accept": "image/png, image/jpeg, image/gif, image/webp"})
        async with outbound.answered(request, hosts=hosts, until=until, most_bytes=MOST_BYTES) as answer:
            if answer.status != 200:
                raise ImageRefused(f"answers with the status {answer.status}")
            return read(await answer.read(until, MOST_BYTES))
    except ServiceFailed as failed:
        raise ImageRefused(_FAILURES.get(failed.reason, "cannot be fetched")) from None


def _read(data: bytes) -> tuple[str, int, int] | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        return ("image/png", *struct.unpack(">II", data[16:24]))
    if data.startswith((b"GIF87a", b"GIF89a")):
        return ("image/gif", *struct.unpack("<HH", data[6:10]))
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        size = _webp(data)
        return None if size is None else ("image/webp", *size)
    if data.startswith(b"\xff\xd8\xff"):
        size = _jpeg(data)
        return None if size is None else ("image/jpeg", *size)
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """What the first frame header says; each segment before it names its own length."""
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 1 if marker == 0xFF else 2 if marker in _BARE else 2 + max(2, _number(data[at + 2 : at + 4]))
    return None


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")

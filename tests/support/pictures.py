"""Images and other media as callers send them, made by hand: only their heads matter."""

from __future__ import annotations

import base64
import struct
from typing import Any


def png(width: int = 2, height: int = 3, *, size: int = 0) -> bytes:
    return (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x06\0\0\0").ljust(size, b"\0")


def gif(width: int = 2, height: int = 3) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def jpeg(width: int = 2, height: int = 3) -> bytes:
    """With a thumbnail's worth of metadata in front, as cameras write it."""
    meta = b"\xff\xe1" + struct.pack(">H", 2002) + b"Exif" + b"\xff\xc0" * 998
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    return b"\xff\xd8" + meta + b"\xff" + frame + b"\xff\xd9"


def webp(kind: str, width: int = 2, height: int = 3) -> bytes:
    bodies = {
        "VP8X": b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
        "VP8L": b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little"),
        "VP8 ": b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height),
    }
    return b"RIFF\0\0\0\0WEBP" + kind.encode() + b"\0\0\0\0" + bodies[kind]


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def image(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def sound(data: str = "UklGRg==", kind: str = "wav") -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}


def file(**fields: Any) -> dict[str, Any]:
    return {"type": "file", "file": fields}

"""Images, sounds and files in a conversation: read and bounded before any model sees them.

An image elsewhere is fetched here, by the guarded client, and passed on as data: a model's server may stand where a
caller's URL must not lead.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import math
from typing import Any, Final, NamedTuple

from django.conf import settings
from msgspec.structs import replace

from chatapi.chat_messages import MEDIA
from chatapi.chat_request import ChatRequest, Invocation
from chatapi.errors import ChatError, refused_field
from publishing.clients import images
from publishing.clients.images import Image, ImageRefused

MOST_PARTS: Final = 100
MOST_LINKS: Final = 20
DETAILS: Final = ("auto", "low", "high", "original")
SOUNDS: Final = ("wav", "mp3")
BYTES_PER_TOKEN: Final = 100  # about; of a sound or a file, where no model reports any


class Part(NamedTuple):
    """A part that is no words, with the path of its value."""

    path: str
    message: int
    place: int
    content: dict[str, Any]


async def admit(request: ChatRequest) -> ChatRequest:
    """The request with its media read, its linked images fetched, and their tokens estimated.

    Raises `FieldInvalid` for the first part that cannot be passed on.
    """
    parts = _find(request.messages)
    if not parts:
        return request
    if len(parts) > MOST_PARTS:
        raise refused_field("messages", f"A conversation holds at most {MOST_PARTS} images, sounds and files.")
    links = [part for part in parts if _is_link(part)]
    if len(links) > MOST_LINKS:
        raise refused_field("messages", f"At most {MOST_LINKS} images may be links. Send the others as data.")
    fetched = await _fetch_all(links)
    read = [(part, await _read(part, fetched)) for part in parts]
    if sum(len(image.data) for _, image in read if isinstance(image, Image)) > settings.MAX_BODY_BYTES:
        raise refused_field("messages", "The images of the conversation are larger together than a body may be.")
    messages = _with_data(request.messages, [(part, fetched[part.path]) for part in links])
    tokens = sum(_tokens(part, found) for part, found in read)
    if isinstance(request, Invocation):
        return replace(request, given=request.given | {"messages": messages}, media_tokens=tokens)
    return replace(request, messages=messages, media_tokens=tokens)


def _find(messages: list[dict[str, Any]]) -> list[Part]:
    return [
        Part(f"messages[{number}].content[{index}]", number, index, part)
        for number, said in enumerate(messages)
        if isinstance(said.get("content"), list)
        for index, part in enumerate(said["content"])
        if isinstance(part, dict) and part.get("type") in MEDIA
    ]


def _is_link(part: Part) -> bool:
    return part.content["type"] == "image_url" and not _url(part).startswith("data:")


def _url(part: Part) -> str:
    """The URL of an image; only https and data are any."""
    given = _object(part, "image_url")
    url = _text(part, given, "image_url.url", "url")
    if given.get("detail") not in (None, *DETAILS):
        raise refused_field(f"{part.path}.image_url.detail", f"`detail` must be one of {', '.join(DETAILS)}.")
    if not url.startswith(("data:", "https://")):
        message = "An image is an `https://` URL, or a `data:` URL with its bytes in base64."
        raise refused_field(f"{part.path}.image_url.url", message)
    return url


async def _fetch_all(links: list[Part]) -> dict[str, Image]:
    """The images at these links, all at once; the first refusal by the order of the conversation is the one told."""
    found = await asyncio.gather(*(_fetched(part) for part in links))
    for each in found:
        if isinstance(each, ChatError):
            raise each
    return {part.path: each for part, each in zip(links, found, strict=True) if isinstance(each, Image)}


async def _fetched(part: Part) -> Image | ChatError:
    try:
        return await images.fetch(_url(part))
    except ImageRefused as refused:
        return _refused(part, refused)


def _refused(part: Part, why: ImageRefused) -> ChatError:
    return refused_field(f"{part.path}.image_url.url", f"The image at `{part.path}` {why}.")


async def _read(part: Part, fetched: dict[str, Image]) -> Image | int:
    """The image, or the size of a sound or a file."""
    if part.path in fetched:
        return fetched[part.path]
    if part.content["type"] == "image_url":
        return await _image(part, _url(part))
    if part.content["type"] == "input_audio":
        given = _object(part, "input_audio")
        if given.get("format") not in SOUNDS:
            raise refused_field(f"{part.path}.input_audio.format", f"`format` must be one of {', '.join(SOUNDS)}.")
        return len(await _decoded(_text(part, given, "input_audio.data", "data"), f"{part.path}.input_audio.data"))
    given = _object(part, "file")
    if given.get("file_id") is not None:
        raise refused_field(f"{part.path}.file.file_id", "No files are stored here. Send the bytes as `file_data`.")
    data = _text(part, given, "file.file_data", "file_data")
    encoded = data.partition(",")[2] if data.startswith("data:") else data
    return len(await _decoded(encoded, f"{part.path}.file.file_data"))


async def _image(part: Part, url: str) -> Image:
    head, _, data = url.partition(",")
    path = f"{part.path}.image_url.url"
    if not head.endswith(";base64"):
        raise refused_field(path, "A `data:` URL of an image holds its bytes in base64: `data:image/png;base64,…`.")
    try:
        return images.read(await _decoded(data, path))
    except ImageRefused as refused:
        raise _refused(part, refused) from None


async def _decoded(text: str, path: str) -> bytes:
    try:
        return await asyncio.to_thread(binascii.a2b_base64, text.encode(), strict_mode=True)
    except (binascii.Error, UnicodeError):
        raise refused_field(path, f"`{path}` is not valid base64.") from None


def _object(part: Part, name: str) -> dict[str, Any]:
    given = part.content.get(name)
    if given is None:
        raise refused_field(f"{part.path}.{name}", f"`{part.path}.{name}` is required.", "missing_required_parameter")
    if not isinstance(given, dict):
        raise refused_field(f"{part.path}.{name}", f"`{part.path}.{name}` must be an object.", "invalid_type")
    return given


def _text(part: Part, given: dict[str, Any], path: str, name: str) -> str:
    value = given.get(name)
    if value is None:
        raise refused_field(f"{part.path}.{path}", f"`{part.path}.{path}` is required.", "missing_required_parameter")
    if not isinstance(value, str):
        raise refused_field(f"{part.path}.{path}", f"`{part.path}.{path}` must be a string.", "invalid_type")
    return value


def _with_data(messages: list[dict[str, Any]], links: list[tuple[Part, Image]]) -> list[dict[str, Any]]:
    """The messages with the links replaced by what they led to; the caller's own objects stay as they are."""
    changed = list(messages)
    for part, image in links:
        url = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"
        content = list(changed[part.message]["content"])
        content[part.place] = part.content | {"image_url": part.content["image_url"] | {"url": url}}
        changed[part.message] = changed[part.message] | {"content": content}
    return changed


def _tokens(part: Part, found: Image | int) -> int:
    """About what models count for it: by tiles of 512 pixels, of an image that is first made smaller."""
    if not isinstance(found, Image):
        return math.ceil(found / BYTES_PER_TOKEN)
    if part.content["image_url"].get("detail") == "low":
        return 85
    scale = min(1.0, 2048 / max(found.width, found.height))
    scale *= min(1.0, 768 / (scale * min(found.width, found.height)))
    tiles = math.ceil(found.width * scale / 512) * math.ceil(found.height * scale / 512)
    return 85 + 170 * tiles

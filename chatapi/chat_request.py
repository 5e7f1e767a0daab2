"""A chat-completions request, read strictly and in one place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from chatapi import call_headers, chat_messages, field_refusals
from chatapi.chat_messages import Message
from chatapi.chat_tools import OfferedTools
from chatapi.errors import BodyInvalid
from publishing import strict_json
from publishing.process.cached_settings import settings

Text64 = Annotated[str, Meta(max_length=64)]
Metadata = Annotated[dict[Text64, Annotated[str, Meta(max_length=512)]], Meta(max_length=16)]
Penalty = Annotated[float, Meta(ge=-2, le=2)] | None
Count = Annotated[int, Meta(ge=1)] | None


class StreamOptions(Struct):
    """How a stream is to look."""

    include_usage: bool | None = None


class Body(Struct):
    """The fields that are used or passed on, with the types and ranges of OpenAI's own description."""

    model: Annotated[str, Meta(max_length=512)]
    messages: Annotated[list[Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    n: Count = None
    store: bool | None = None
    entity_id: str | None = None
    max_completion_tokens: Count = None
    max_tokens: Count = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    frequency_penalty: Penalty = None
    presence_penalty: Penalty = None
    logit_bias: dict[str, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    parallel_tool_calls: bool | None = None
    user: str | None = None
    safety_identifier: Text64 | None = None
    prompt_cache_key: str | None = None
    metadata: Metadata | None = None
    logprobs: bool | None = None
    tools: OfferedTools | None = None
    tool_choice: str | dict[str, Any] | None = None
    function_call: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    modalities: list[str] | None = None
    audio: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None


class ChatRequest(Struct, frozen=True):
    """A chat call, understood. `messages` are the caller's own objects, `texts` the text of each.

    `demands`: what the Core must declare to be able to answer, each with the path of the field that asks for it.
    `task`: what a chat front end says that the call is for, where it is for itself. `media_tokens`: about what
    its images, sounds and files count. `is_stored`: its answer is kept for the caller.
    """

    model: str
    message: str
    messages: list[dict[str, Any]]
    texts: list[str]
    params: dict[str, Any]
    demands: dict[str, str]
    is_streamed: bool
    has_usage_chunk: bool
    stop: tuple[str, ...]
    entity_id: str | None
    idempotency_key: str | None
    is_retry: bool
    task: str | None
    fingerprint: bytes
    ignored: tuple[str, ...]
    media_tokens: int
    is_stored: bool

    @property
    def input(self) -> dict[str, Any]:
        """What the Core gets."""
        return {"message": self.message, "messages": self.messages, "params": self.params}


class Invocation(ChatRequest, frozen=True):
    """A call whose input is the caller's own object."""

    given: dict[str, Any]

    @property
    def input(self) -> dict[str, Any]:
        """What the Core gets."""
        return self.given


# A field that passed the gate above with its neutral value had its effect.
USED: Final = frozenset({"model", "messages", "stream", "stream_options", "stop", "n", "logprobs", "entity_id"})
PASSED: Final = (
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "seed",
    "reasoning_effort",
    "verbosity",
    "parallel_tool_calls",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "metadata",
)
# What only some Cores heed.
OFFERED: Final = ("tools", "tool_choice")
HANDED_ON: Final = frozenset((*PASSED, *OFFERED))
UNDERSTOOD: Final = USED | set(PASSED)

_HEADER_SAFE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def parse(body: bytes, headers: Mapping[str, str]) -> ChatRequest:
    """The request in `body`; `headers` by lower-case name. Raises `BodyInvalid` or `FieldInvalid`."""
    raw = json_object(body)
    given = _convert(raw)
    has_parts = chat_messages.check_contents(given.messages)
    asked = _asked_fields(given)
    is_streamed, may_store = bool(given.stream), settings.STORED_DAYS > 0
    stop = _stop_texts(given.stop)
    params = {name: raw[name] for name in raw if (name in HANDED_ON or name in asked) and raw[name] is not None}
    return ChatRequest(
        model=given.model,
        message=chat_messages.spoken_text(given.messages),
        messages=raw["messages"],
        texts=[chat_messages.text_of(message) for message in given.messages],
        params=params | ({"stop": list(stop)} if stop else {}),
        demands={name: name for name in asked} | (chat_messages.media_paths(raw["messages"]) if has_parts else {}),
        is_streamed=is_streamed,
        has_usage_chunk=bool(is_streamed and given.stream_options and given.stream_options.include_usage),
        stop=stop,
        entity_id=call_headers.entity_id(given.entity_id, headers),
        idempotency_key=call_headers.idempotency_key(headers),
        is_retry=call_headers.is_retry(headers),
        task=call_headers.task(headers),
        fingerprint=hashlib.sha256(body).digest(),
        ignored=_ignored(raw, used=(*asked, "store") if may_store else asked, is_streamed=is_streamed),
        media_tokens=0,
        is_stored=may_store and bool(given.store),
    )


def invocation(
    model: str,
    given: dict[str, Any],
    entity_id: str | None,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] = call_headers.NO_HEADERS,
) -> Invocation:
    """The call of `model` with the input `given`; `body` and `headers` tell a repeated call from a new one."""
    message = given.get("message")
    said = given.get("messages")
    messages = [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []
    text = message if isinstance(message, str) else msgspec.json.encode(given).decode()
    return Invocation(
        model=model,
        message=text,
        messages=messages,
        texts=[text],
        params={},
        demands=chat_messages.media_paths(messages),
        is_streamed=False,
        has_usage_chunk=False,
        stop=(),
        entity_id=entity_id,
        idempotency_key=call_headers.idempotency_key(headers),
        is_retry=call_headers.is_retry(headers),
        task=None,
        fingerprint=hashlib.sha256(body).digest(),
        ignored=(),
        media_tokens=0,
        is_stored=False,
        given=given,
    )


def json_object(body: bytes) -> dict[str, Any]:
    """The object in `body`; `BodyInvalid` when it holds none."""
    try:
        raw = strict_json.loads(body)
    except strict_json.InvalidJson as error:
        raise BodyInvalid(str(error)) from None
    if not isinstance(raw, dict):
        raise BodyInvalid("The body must be a JSON object.")
    return raw


def _convert(raw: dict[str, Any]) -> Body:
    try:
        return msgspec.convert(raw, Body)
    except msgspec.ValidationError as error:
        raise field_refusals.explain(error) from None


def _asked_fields(given: Body) -> tuple[str, ...]:
    """The fields that ask for another kind of answer than text."""
    is_demanded = {
        "n": given.n is not None and given.n > 1,
        "logprobs": given.logprobs,
        "tool_choice": given.tool_choice not in (None, "none", "auto"),
        "function_call": given.function_call not in (None, "none", "auto"),
        "response_format": given.response_format is not None and given.response_format.get("type") != "text",
        "modalities": given.modalities is not None and given.modalities != ["text"],
        "audio": given.audio is not None,
        "web_search_options": given.web_search_options is not None,
    }
    return tuple(name for name, demanded in is_demanded.items() if demanded)


def _stop_texts(stop: str | list[str] | None) -> tuple[str, ...]:
    given = [stop] if isinstance(stop, str) else stop or []
    return tuple(text for text in given if text)


def _ignored(raw: dict[str, Any], *, used: Collection[str], is_streamed: bool) -> tuple[str, ...]:
    """The fields that have no effect, by name; a name that a header cannot carry is left out."""
    names = [name for name in raw if name not in UNDERSTOOD and name not in used and raw[name] is not None]
    if not is_streamed and raw.get("stream_options") is not None:
        names.append("stream_options")
    return tuple(filter(is_header_safe, names))[:64]


def is_header_safe(name: str) -> bool:
    """Whether a header can carry the name of a field."""
    return _HEADER_SAFE.fullmatch(name) is not None

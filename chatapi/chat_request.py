"""A chat-completions request, read strictly and in one place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from chatapi.errors import BodyInvalid, BodyTooLarge, FieldInvalid, MediaTypeInvalid, refused_field
from publishing import strict_json

Text64 = Annotated[str, Meta(max_length=64)]
Penalty = Annotated[float, Meta(ge=-2, le=2)] | None
Count = Annotated[int, Meta(ge=1)] | None


class ContentPart(Struct):
    """One part of a message's content; only words are read here, a Core that declares the others sees them all."""

    type: str
    text: str | None = None
    refusal: str | None = None

    @property
    def words(self) -> str | None:
        """The part's text; None for a part without one."""
        return self.refusal if self.type == "refusal" else self.text if self.type == "text" else None


class Message(Struct):
    """One message of the conversation."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


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
    metadata: Annotated[dict[Text64, Annotated[str, Meta(max_length=512)]], Meta(max_length=16)] | None = None
    logprobs: bool | None = None
    tool_choice: str | dict[str, Any] | None = None
    function_call: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    modalities: list[str] | None = None
    audio: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None


class ChatRequest(Struct, frozen=True):
    """A chat call, understood. `messages` are the caller's own objects, `texts` the text of each.

    `demands`: what the Core must declare to be able to answer, each with the path of the field that asks for it.
    `task`: what a chat front end says that the call is for, where it is for itself.
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
# What no Core can meet: this server answers with one text.
NEVER_MET: Final = frozenset({"n", "logprobs", "modalities", "audio"})
UNDERSTOOD: Final = USED | set(PASSED)
WORDS: Final = frozenset({"text", "refusal"})
# A Core that can see, hear or read files declares the type of the parts that it takes.
MEDIA: Final = frozenset({"image_url", "input_audio", "file"})

JSON_WORDS: Final = (("str", "string"), ("int", "integer"), ("float", "number"), ("bool", "boolean"))
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
MAX_ENTITY_ID: Final = 128
MAX_IDEMPOTENCY_KEY: Final = 255
ENCODED: Final = "Send the body as it is, without `Content-Encoding`: compressed bodies are not read."
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HEADER_SAFE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def check_headers(headers: Mapping[str, str], *, limit: int) -> None:
    """Refuse by what the headers declare, before a byte of the body is read. `limit` in bytes."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise MediaTypeInvalid(ENCODED)
    media_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not re.fullmatch(r"application/[\w.-]+\+json", media_type):
        raise MediaTypeInvalid
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limit:
        raise BodyTooLarge


def parse(body: bytes, headers: Mapping[str, str]) -> ChatRequest:
    """The request in `body`; `headers` by lower-case name. Raises `BodyInvalid` or `FieldInvalid`."""
    raw = json_object(body)
    given = _convert(raw)
    _check_contents(given.messages)
    asked = _asked_fields(given)
    is_streamed = bool(given.stream)
    stop = _stop_texts(given.stop)
    params = {name: raw[name] for name in (*PASSED, *asked) if raw.get(name) is not None}
    return ChatRequest(
        model=given.model,
        message=_spoken_text(given.messages),
        messages=raw["messages"],
        texts=[text_of(message) for message in given.messages],
        params=params | ({"stop": list(stop)} if stop else {}),
        demands={name: name for name in asked} | _media_paths(given.messages),
        is_streamed=is_streamed,
        has_usage_chunk=bool(is_streamed and given.stream_options and given.stream_options.include_usage),
        stop=stop,
        entity_id=entity_id_of(given.entity_id, headers),
        idempotency_key=idempotency_key_of(headers),
        is_retry=is_retry(headers),
        task=_header("x-openwebui-task", headers),
        fingerprint=hashlib.sha256(body).digest(),
        ignored=_ignored(raw, used=asked, is_streamed=is_streamed),
    )


def invocation(
    model: str,
    given: dict[str, Any],
    entity_id: str | None,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] = NO_HEADERS,
) -> Invocation:
    """The call of `model` with the input `given`; `body` and `headers` tell a repeated call from a new one."""
    message = given.get("message")
    text = message if isinstance(message, str) else msgspec.json.encode(given).decode()
    return Invocation(
        model=model,
        message=text,
        messages=[],
        texts=[text],
        params={},
        demands={},
        is_streamed=False,
        has_usage_chunk=False,
        stop=(),
        entity_id=entity_id,
        idempotency_key=idempotency_key_of(headers),
        is_retry=is_retry(headers),
        task=None,
        fingerprint=hashlib.sha256(body).digest(),
        ignored=(),
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
        raise _field_refusal(str(error)) from None


def _field_refusal(explanation: str) -> FieldInvalid:
    """msgspec's sentence, such as ``Expected `str`, got `int` - at `$.messages[2].role` ``, as a refusal."""
    reason, _, location = explanation.partition(" - at ")
    path = location.strip("`").rpartition("$")[2].strip(".`").removesuffix("[...]")
    for ours, theirs in JSON_WORDS:
        reason = re.sub(rf"\b{ours}\b", theirs, reason)
    missing = re.fullmatch(r"Object missing required field `(\w+)`", reason)
    if missing:
        path = f"{path}.{missing[1]}" if path else missing[1]
        return refused_field(path, f"`{path}` is required.", "missing_required_parameter")
    code = "invalid_type" if ", got " in reason else "invalid_value"
    return refused_field(path, f"`{path}` is not usable: {reason[:1].lower()}{reason[1:]}.", code)


def check_demands(request: ChatRequest, capabilities: Collection[str]) -> None:
    """Refuse what the Core does not declare: an answer that ignored it would be wrong."""
    for name, path in request.demands.items():
        if name not in capabilities or name in NEVER_MET:
            raise refused_field(path, f"This model does not support `{path}` as it was sent.", "unsupported_parameter")


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


def _check_contents(messages: list[Message]) -> None:
    for index, message in enumerate(messages):
        _check_content(message, f"messages[{index}]")


def _spoken_text(messages: list[Message]) -> str:
    """What the caller says: the last user's message; without one, the last instruction, as OpenAI takes it."""
    for roles in (("user",), ("developer", "system")):
        for message in reversed(messages):
            if message.role in roles:
                return text_of(message)
    raise refused_field(
        "messages", "`messages` must contain at least one message with the role `user`, `developer` or `system`."
    )


def _check_content(message: Message, path: str) -> None:
    if message.content is None and message.role != "assistant":
        raise refused_field(f"{path}.content", f"`{path}.content` is required.", "missing_required_parameter")
    if isinstance(message.content, list):
        if not message.content:
            raise refused_field(f"{path}.content", f"`{path}.content` must contain at least one part.")
        for index, part in enumerate(message.content):
            _check_part(part, f"{path}.content[{index}]")


def _check_part(part: ContentPart, path: str) -> None:
    if part.type in MEDIA:
        return
    if part.type not in WORDS:
        known = ", ".join(f"`{name}`" for name in sorted(WORDS | MEDIA))
        raise refused_field(f"{path}.type", f"`{path}.type` must be one of {known}.")
    if part.words is None:
        field = f"{path}.{part.type}"
        raise refused_field(field, f"`{field}` is required.", "missing_required_parameter")


def _media_paths(messages: list[Message]) -> dict[str, str]:
    """The parts that are no words: the first of each type, by its path."""
    found: dict[str, str] = {}
    for index, message in enumerate(messages):
        for at, part in enumerate(message.content if isinstance(message.content, list) else ()):
            if part.type in MEDIA:
                found.setdefault(part.type, f"messages[{index}].content[{at}]")
    return found


def text_of(message: Message) -> str:
    """The message's text; its parts' texts are joined by a newline, images, sounds and files have none."""
    if isinstance(message.content, list):
        return "\n".join(part.words for part in message.content if part.words is not None)
    return message.content or ""


def _stop_texts(stop: str | list[str] | None) -> tuple[str, ...]:
    given = [stop] if isinstance(stop, str) else stop or []
    return tuple(text for text in given if text)


def entity_id_of(given: str | None, headers: Mapping[str, str]) -> str | None:
    """The entity that a call names, in its body or else in its headers."""
    entity_id = given if given is not None else _header("x-entity-id", headers)
    if entity_id is None:
        return None
    if not 1 <= len(entity_id) <= MAX_ENTITY_ID or _CONTROL.search(entity_id):
        raise refused_field(
            "entity_id", f"`entity_id` must have 1 to {MAX_ENTITY_ID} characters, none of them a control character."
        )
    return entity_id


def idempotency_key_of(headers: Mapping[str, str]) -> str | None:
    """The key under which a caller asks for the same answer again."""
    key = _header("idempotency-key", headers)
    if key is not None and (not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY or _CONTROL.search(key)):
        raise refused_field(
            "Idempotency-Key",
            f"The header `Idempotency-Key` must have 1 to {MAX_IDEMPOTENCY_KEY} printable characters.",
        )
    return key


def _header(name: str, headers: Mapping[str, str]) -> str | None:
    """The header's value. An empty one counts as not sent: front ends fill in a value that they may not have."""
    return headers.get(name, "").strip(" \t") or None


def is_retry(headers: Mapping[str, str]) -> bool:
    """Whether an OpenAI SDK says that it sends this request again; a new turn carries 0 or no header."""
    count = headers.get("x-stainless-retry-count", "0")
    return count.isdecimal() and int(count) >= 1


def _ignored(raw: dict[str, Any], *, used: Collection[str], is_streamed: bool) -> tuple[str, ...]:
    """The fields that have no effect, by name; a name that a header cannot carry is left out."""
    names = [name for name in raw if name not in UNDERSTOOD and name not in used and raw[name] is not None]
    if not is_streamed and raw.get("stream_options") is not None:
        names.append("stream_options")
    return tuple(name for name in names if _HEADER_SAFE.fullmatch(name))[:64]

"""`response_format`: what shape a caller wants the answer in, whether the Core can give it, and whether it did."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from chatapi import field_refusals
from chatapi.chat_request import ChatRequest
from chatapi.chat_tools import NAME
from chatapi.errors import refused_field
from publishing.registry import LiveCore
from scaicore.errors import SourceUnreadable
from scaicore.language.caller_schemas import CallerSchema
from scaicore.language.schema_agreement import differences

FIELD: Final = "response_format"
AN_OBJECT: Final[dict[str, Any]] = {"type": "object"}
SLOW: Final = 5_000  # characters of a schema that takes long enough to be read that others would notice
MOST_KEPT: Final = 128


class NamedSchema(Struct):
    """The schema of an answer. Whether it is strict or not, the answer is checked."""

    name: Annotated[str, Meta(pattern=NAME)]
    schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


class AnswerFormat(Struct):
    """What a request may ask for."""

    type: Literal["json_object", "json_schema"]
    json_schema: NamedSchema | None = None


async def agree(request: ChatRequest, core: LiveCore) -> CallerSchema | None:
    """What the answer has to fit; None where the caller asks for a text. Raises `FieldInvalid` when it cannot be used,
    or when the flow's own schema promises something else."""
    wanted = request.params.get(FIELD)
    if FIELD not in request.demands or wanted is None:
        return None
    source = _source(wanted)
    text = msgspec.json.encode(source)
    schema = await asyncio.to_thread(_read, text) if len(text) > SLOW else _read(text)
    for node_id, promised in core.program.answer_schemas:
        if found := differences(promised, schema.source):
            message = f"The node `{node_id}` of this model answers by a schema of its own, which differs: "
            raise refused_field(FIELD, message + "; ".join(found) + ".")
    return schema


def _source(wanted: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = msgspec.convert(wanted, AnswerFormat)
    except msgspec.ValidationError as error:
        raise field_refusals.explain(error, at=FIELD) from None
    if answer.type == "json_object":
        return AN_OBJECT
    if answer.json_schema is None:
        field = f"{FIELD}.json_schema"
        raise refused_field(field, f"`{field}` is required.", "missing_required_parameter")
    return answer.json_schema.schema


@lru_cache(MOST_KEPT)
def _read(text: bytes) -> CallerSchema:
    """Agents send the same schema with every call of theirs."""
    try:
        return CallerSchema(msgspec.json.decode(text))
    except SourceUnreadable as problem:
        field = f"{FIELD}.json_schema.schema"
        raise refused_field(field, f"`{field}` is not usable: {problem}.") from None

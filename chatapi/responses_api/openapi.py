"""`/v1/responses` as the OpenAPI document describes it; the full field list is OpenAI's."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema_field
from rest_framework import serializers

from chatapi import call_headers, chat_tools
from chatapi.openapi import BEARER, CALL_REFUSED, DESCRIBED, ErrorAnswerSerializer, ToolChoiceField

ITEM = {"type": "object", "properties": {"type": {"type": "string"}}, "additionalProperties": True}


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "array", "items": ITEM, "minItems": 1}]})
class InputField(serializers.JSONField):
    """A text, or items: messages, calls of functions and their results."""


class FlatToolSerializer(serializers.Serializer[Any]):
    """A function that the caller can run."""

    type = serializers.CharField(help_text="`function`")
    name = serializers.RegexField(chat_tools.NAME.replace("\\Z", "$"))
    description = serializers.CharField(**DESCRIBED, allow_blank=True)
    parameters = serializers.DictField(**DESCRIBED, help_text="A JSON Schema, without references out of it.")
    strict = serializers.BooleanField(**DESCRIBED)


class TextOptionsSerializer(serializers.Serializer[Any]):
    """What shape the answer is to have."""

    format = serializers.DictField(**DESCRIBED, help_text="`text`, `json_object`, or `json_schema` with its schema.")
    verbosity = serializers.CharField(**DESCRIBED)


class ResponseRequestSerializer(serializers.Serializer[Any]):
    """The fields that most callers send; the others of OpenAI's responses are accepted or refused by name."""

    model = serializers.CharField(max_length=512, allow_blank=True, help_text="`scaicore/{tenant}/{core}`")
    input = InputField()
    instructions = serializers.CharField(**DESCRIBED, allow_blank=True)
    previous_response_id = serializers.CharField(**DESCRIBED)
    stream = serializers.BooleanField(**DESCRIBED)
    store = serializers.BooleanField(**DESCRIBED, help_text="`true` when left out.")
    max_output_tokens = serializers.IntegerField(**DESCRIBED, min_value=16)
    temperature = serializers.FloatField(**DESCRIBED, min_value=0, max_value=2)
    top_p = serializers.FloatField(**DESCRIBED, min_value=0, max_value=1)
    tools = serializers.ListField(**DESCRIBED, child=FlatToolSerializer(), max_length=chat_tools.MOST_TOOLS)
    tool_choice = ToolChoiceField(**DESCRIBED)
    parallel_tool_calls = serializers.BooleanField(**DESCRIBED)
    text = TextOptionsSerializer(**DESCRIBED)
    metadata = serializers.DictField(**DESCRIBED, child=serializers.CharField(max_length=512))
    entity_id = serializers.CharField(**DESCRIBED, min_length=1, max_length=call_headers.MAX_ENTITY_ID)


class ResponseSerializer(serializers.Serializer[Any]):
    """A response."""

    id = serializers.CharField()
    object = serializers.CharField(help_text="`response`")
    created_at = serializers.IntegerField(help_text="Unix seconds.")
    status = serializers.CharField(help_text="`completed`, `incomplete`, `failed` or `in_progress`")
    model = serializers.CharField()
    output = serializers.ListField(child=serializers.DictField(), help_text="Messages, calls and thoughts.")
    error = serializers.DictField(allow_null=True)
    incomplete_details = serializers.DictField(allow_null=True)
    instructions = serializers.CharField(allow_null=True)
    previous_response_id = serializers.CharField(allow_null=True)
    store = serializers.BooleanField(help_text="Whether it can be read again and gone on from.")
    metadata = serializers.DictField(child=serializers.CharField())
    usage = serializers.DictField(required=False)


class DeletedResponseSerializer(serializers.Serializer[Any]):
    """What was removed."""

    id = serializers.CharField()
    object = serializers.CharField(help_text="`response`")
    deleted = serializers.BooleanField()


class InputItemListSerializer(serializers.Serializer[Any]):
    """A page of items."""

    object = serializers.CharField(help_text="`list`")
    data = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]  # as in ModelListSerializer
    first_id = serializers.CharField(allow_blank=True)
    last_id = serializers.CharField(allow_blank=True)
    has_more = serializers.BooleanField()


def _described(operation: str, summary: str, answer: Any, *refused: int, **more: Any) -> dict[str, Any]:
    refusals = dict.fromkeys((400, 401, 404, 405, 500, 503, *refused), ErrorAnswerSerializer)
    shown: dict[str, Any] = {"operation_id": operation, "summary": summary, "tags": ["chat"], "auth": BEARER}
    return shown | {"responses": {200: answer, **refusals}} | more


ITEMS_QUERY = [
    OpenApiParameter("limit", int, description="1 to 100; 20 when left out."),
    OpenApiParameter("order", str, enum=["asc", "desc"], description="`desc` when left out."),
    OpenApiParameter("after", str, description="The id of the last item of the page before."),
]
CREATE: dict[str, Any] = {
    "operation_id": "create_response",
    "summary": "Create response",
    "tags": ["chat"],
    "auth": BEARER,
    "request": ResponseRequestSerializer,
    "responses": {
        (200, "application/json"): OpenApiResponse(
            ResponseSerializer, "A `response`; `response.…` events when `stream` is true."
        ),
        (200, "text/event-stream"): OpenApiTypes.STR,
        **dict.fromkeys((400, 401, *CALL_REFUSED), ErrorAnswerSerializer),
    },
    "examples": [OpenApiExample("Echo", {"model": "scaicore/acme/echo-agent", "input": "hello"}, request_only=True)],
}
READ = _described("read_response", "Read response", ResponseSerializer)
DELETE = _described("delete_response", "Delete response", DeletedResponseSerializer)
CANCEL = _described("cancel_response", "Cancel response", ResponseSerializer, request=None)
INPUT_ITEMS = _described("list_input_items", "List input items", InputItemListSerializer, parameters=ITEMS_QUERY)

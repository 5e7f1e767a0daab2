"""The chat's endpoints as the OpenAPI document describes them; the full field list is OpenAI's."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema_field
from rest_framework import serializers

from chatapi import call_headers, chat_messages, chat_tools
from publishing.api import fields

TEXT = {"type": "string"}
PART = {
    "type": "object",
    "properties": {"type": {"type": "string", "enum": sorted(chat_messages.WORDS | chat_messages.MEDIA)}, "text": TEXT},
    "required": ["type"],
    "additionalProperties": True,
}
CONTENT = {"oneOf": [TEXT, {"type": "array", "items": PART, "minItems": 1}]}
CHOICE = {"oneOf": [TEXT, {"type": "object", "additionalProperties": True}]}
STOP = {"oneOf": [TEXT, {"type": "array", "items": TEXT, "maxItems": 4}]}
# Its type in the document; the request itself is read elsewhere.
DESCRIBED: dict[str, Any] = {"required": False, "allow_null": True}


@extend_schema_field(CONTENT)
class ContentField(serializers.JSONField):
    """Text, a list of parts, or null for an assistant."""


@extend_schema_field({"type": "null"})
class NullField(serializers.JSONField):
    """What OpenAI's schema requires and we have nothing to say in."""


@extend_schema_field(STOP)
class StopField(serializers.JSONField):
    """One text, or up to four."""


@extend_schema_field(CHOICE)
class ToolChoiceField(serializers.JSONField):
    """`none`, `auto`, `required`, or a function by its name."""


@extend_schema_field({"type": "string", "const": "function"})
class FunctionField(serializers.CharField):
    """The one kind of tool that there is."""


class CalledFunctionSerializer(serializers.Serializer[Any]):
    """What was called."""

    name = serializers.CharField(allow_blank=True)
    arguments = serializers.CharField(allow_blank=True, help_text="The text that the model wrote, JSON or not.")


class ToolCallSerializer(serializers.Serializer[Any]):
    """A call of one of the caller's tools."""

    id = serializers.CharField(allow_blank=True)
    type = FunctionField()
    function = CalledFunctionSerializer()


class OfferedFunctionSerializer(serializers.Serializer[Any]):
    """A function that the caller can run."""

    name = serializers.RegexField(chat_tools.NAME.replace("\\Z", "$"))
    description = serializers.CharField(**DESCRIBED, allow_blank=True)
    parameters = serializers.DictField(**DESCRIBED, help_text="A JSON Schema, without references out of it.")
    strict = serializers.BooleanField(**DESCRIBED)


class OfferedToolSerializer(serializers.Serializer[Any]):
    """A tool that the caller offers."""

    type = FunctionField()
    function = OfferedFunctionSerializer()


class NamedSchemaSerializer(serializers.Serializer[Any]):
    """The schema of an answer."""

    name = serializers.RegexField(chat_tools.NAME.replace("\\Z", "$"))
    schema = serializers.DictField()
    description = serializers.CharField(**DESCRIBED, allow_blank=True)
    strict = serializers.BooleanField(**DESCRIBED)


class ResponseFormatSerializer(serializers.Serializer[Any]):
    """What shape the answer is to have."""

    type = serializers.ChoiceField(["text", "json_object", "json_schema"])
    json_schema = NamedSchemaSerializer(**DESCRIBED)


class MessageSerializer(serializers.Serializer[Any]):
    """One message."""

    role = serializers.ChoiceField(["developer", "system", "user", "assistant", "tool", "function"])
    content = ContentField(**DESCRIBED, help_text="Required, and not null, for every role but `assistant`.")
    tool_calls = serializers.ListField(**DESCRIBED, child=ToolCallSerializer())
    tool_call_id = serializers.CharField(**DESCRIBED, allow_blank=True, help_text="The call that a `tool` answers.")


class StreamOptionsSerializer(serializers.Serializer[Any]):
    """How a stream is to look."""

    include_usage = serializers.BooleanField(**DESCRIBED)


class ChatRequestSerializer(serializers.Serializer[Any]):
    """The fields that most callers send; the others of OpenAI's chat completions are accepted too."""

    model = serializers.CharField(max_length=512, allow_blank=True, help_text="`scaicore/{tenant}/{core}`")
    messages = serializers.ListField(child=MessageSerializer(), min_length=1)
    stream = serializers.BooleanField(**DESCRIBED)
    stream_options = StreamOptionsSerializer(**DESCRIBED)
    stop = StopField(**DESCRIBED)
    n = serializers.IntegerField(**DESCRIBED, min_value=1)
    max_tokens = serializers.IntegerField(**DESCRIBED, min_value=1)
    max_completion_tokens = serializers.IntegerField(**DESCRIBED, min_value=1)
    temperature = serializers.FloatField(**DESCRIBED, min_value=0, max_value=2)
    top_p = serializers.FloatField(**DESCRIBED, min_value=0, max_value=1)
    frequency_penalty = serializers.FloatField(**DESCRIBED, min_value=-2, max_value=2)
    presence_penalty = serializers.FloatField(**DESCRIBED, min_value=-2, max_value=2)
    tools = serializers.ListField(**DESCRIBED, child=OfferedToolSerializer(), max_length=chat_tools.MOST_TOOLS)
    tool_choice = ToolChoiceField(**DESCRIBED)
    parallel_tool_calls = serializers.BooleanField(**DESCRIBED)
    response_format = ResponseFormatSerializer(**DESCRIBED)
    entity_id = serializers.CharField(**DESCRIBED, min_length=1, max_length=call_headers.MAX_ENTITY_ID)


class UsageSerializer(serializers.Serializer[Any]):
    """Tokens that were read and written."""

    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()


class AnswerMessageSerializer(serializers.Serializer[Any]):
    """The assistant's message."""

    role = serializers.CharField()
    content = serializers.CharField(allow_null=True, help_text="Null where a model declined, or calls tools alone.")
    refusal = serializers.CharField(allow_null=True, help_text="The words in which a model declined.")
    reasoning_content = serializers.CharField(
        required=False, help_text="What a model thought before it answered, where the flow passes it on."
    )
    tool_calls = serializers.ListField(
        child=ToolCallSerializer(), required=False, help_text="What the model asks of the caller's tools."
    )


class AnswerChoiceSerializer(serializers.Serializer[Any]):
    """The one choice of an answer."""

    index = serializers.IntegerField()
    message = AnswerMessageSerializer()
    finish_reason = serializers.CharField(help_text="`stop`, `length`, `content_filter` or `tool_calls`")
    logprobs = NullField()


class CompletionSerializer(serializers.Serializer[Any]):
    """A whole answer."""

    id = serializers.CharField()
    object = serializers.CharField(help_text="`chat.completion`")
    created = serializers.IntegerField(help_text="Unix seconds.")
    model = serializers.CharField()
    choices = AnswerChoiceSerializer(many=True)
    usage = UsageSerializer()


class ErrorSerializer(serializers.Serializer[Any]):
    """What every failing answer carries under `error`."""

    message = serializers.CharField()
    type = serializers.CharField()
    param = serializers.CharField(allow_null=True)
    code = serializers.CharField()


class ErrorAnswerSerializer(serializers.Serializer[Any]):
    """Every failing answer."""

    error = ErrorSerializer()


class ModelSerializer(serializers.Serializer[Any]):
    """A model that the key may call."""

    id = serializers.CharField()
    object = serializers.CharField(default="model")
    created = serializers.IntegerField()
    owned_by = serializers.CharField()


class OneModelSerializer(ModelSerializer):
    """A model that the key may call, and what it can do."""

    capabilities = serializers.DictField(
        child=serializers.BooleanField(), help_text="What it can do besides answering a text with a text."
    )


class ModelListSerializer(serializers.Serializer[Any]):
    """The models that the key may call."""

    object = serializers.CharField(default="list")
    data = ModelSerializer(many=True)  # type: ignore[assignment]  # the stubs know `data` as the serializer's own


class InvocationBodySerializer(serializers.Serializer[Any]):
    """A call with an input of the caller's own."""

    input = serializers.DictField(help_text="What the flow finds in its scope, such as `message`.")
    entity_id = serializers.CharField(**DESCRIBED, min_length=1, max_length=call_headers.MAX_ENTITY_ID)


class InvocationAnswerSerializer(serializers.Serializer[Any]):
    """What a call gave."""

    core_id = serializers.CharField()
    version = serializers.IntegerField(help_text="The Core version that answered.")
    output = serializers.DictField(help_text="The flow's output; its `response` is what a chat would show.")
    usage = UsageSerializer()


class WebhookAnswerSerializer(serializers.Serializer[Any]):
    """What a webhook's run gave."""

    output = serializers.DictField(help_text="The flow's output.")


# What a call may be refused with besides 401, by status.
CALL_REFUSED = (403, 404, 405, 409, 413, 415, 422, 429, 500, 502, 503, 504)
BEARER: list[dict[str, list[str]]] = [{"apiKey": []}]


def _refused(*statuses: int) -> dict[int, Any]:
    return dict.fromkeys(statuses, ErrorAnswerSerializer)


COMPLETIONS: dict[str, Any] = {
    "operation_id": "create_chat_completion",
    "summary": "Create chat completion",
    "tags": ["chat"],
    "auth": BEARER,
    "request": ChatRequestSerializer,
    "responses": {
        (200, "application/json"): OpenApiResponse(
            CompletionSerializer, "A `chat.completion`; `chat.completion.chunk` events when `stream` is true."
        ),
        (200, "text/event-stream"): OpenApiTypes.STR,
        **_refused(400, 401, *CALL_REFUSED),
    },
    "examples": [
        OpenApiExample(
            "Echo",
            {"model": "scaicore/acme/echo-agent", "messages": [{"role": "user", "content": "hello"}]},
            request_only=True,
        )
    ],
}
MODELS: dict[str, Any] = {
    "operation_id": "list_models",
    "summary": "List models",
    "tags": ["chat"],
    "auth": BEARER,
    "responses": {200: ModelListSerializer, **_refused(400, 401, 405, 500, 503)},
}
MODEL: dict[str, Any] = {
    "operation_id": "read_model",
    "summary": "Read model",
    "tags": ["chat"],
    "auth": BEARER,
    "responses": {200: OneModelSerializer, **_refused(400, 401, 403, 404, 405, 500, 503)},
}
HOOK: dict[str, Any] = {
    "operation_id": "call_webhook",
    "summary": "Call webhook",
    "tags": ["modules"],
    "auth": [{"webhookSignature": []}],
    "request": {"application/json": OpenApiTypes.OBJECT},
    "responses": {200: WebhookAnswerSerializer}
    | dict.fromkeys((400, 401, 404, 405, 409, 413, 415, 422, 429, 500, 502, 503, 504), fields.ModuleRefusalSerializer),
}

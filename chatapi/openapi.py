"""The chat's endpoints as the OpenAPI document describes them; the full field list is OpenAI's."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from chatapi import chat_request
from publishing.api import fields


class MessageSerializer(serializers.Serializer[Any]):
    """One message."""

    role = serializers.ChoiceField(["developer", "system", "user", "assistant", "tool", "function"])
    content = serializers.CharField()


class ChatRequestSerializer(serializers.Serializer[Any]):
    """The fields that most callers send; the others of OpenAI's chat completions are accepted too."""

    model = serializers.CharField(help_text="`scaicore/{tenant}/{core}`")
    messages = MessageSerializer(many=True)
    stream = serializers.BooleanField(default=False)
    entity_id = serializers.CharField(required=False, max_length=chat_request.MAX_ENTITY_ID)


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


class ModelListSerializer(serializers.Serializer[Any]):
    """The models that the key may call."""

    object = serializers.CharField(default="list")
    data = ModelSerializer(many=True)  # type: ignore[assignment]  # the stubs know `data` as the serializer's own


class InvocationBodySerializer(serializers.Serializer[Any]):
    """A call with an input of the caller's own."""

    input = serializers.DictField(help_text="What the flow finds in its scope, such as `message`.")
    entity_id = serializers.CharField(required=False, max_length=chat_request.MAX_ENTITY_ID)


class UsageSerializer(serializers.Serializer[Any]):
    """Tokens that were read and written."""

    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()


class InvocationAnswerSerializer(serializers.Serializer[Any]):
    """What a call gave."""

    core_id = serializers.CharField()
    version = serializers.IntegerField(help_text="The Core version that answered.")
    output = serializers.DictField(help_text="The flow's output; its `response` is what a chat would show.")
    usage = UsageSerializer()


class WebhookAnswerSerializer(serializers.Serializer[Any]):
    """What a webhook's run gave."""

    output = serializers.DictField(help_text="The flow's output.")


REFUSED: dict[int, Any] = {
    401: OpenApiResponse(ErrorAnswerSerializer, "invalid_api_key"),
    403: OpenApiResponse(ErrorAnswerSerializer, "model_access_denied"),
    404: OpenApiResponse(ErrorAnswerSerializer, "model_not_found"),
}
BEARER = OpenApiParameter("Authorization", str, "header", description="`Bearer sgk_…`", required=True)

COMPLETIONS: dict[str, Any] = {
    "operation_id": "create_chat_completion",
    "tags": ["chat"],
    "request": ChatRequestSerializer,
    "parameters": [BEARER],
    "responses": {
        200: OpenApiResponse(
            description="A `chat.completion`, or `chat.completion.chunk` events when `stream` is true."
        ),
        400: OpenApiResponse(ErrorAnswerSerializer, "invalid_json, invalid_type, invalid_value, …"),
        **REFUSED,
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
    "tags": ["chat"],
    "parameters": [BEARER],
    "responses": {200: ModelListSerializer, 401: REFUSED[401]},
}
MODEL: dict[str, Any] = {
    "operation_id": "read_model",
    "tags": ["chat"],
    "parameters": [BEARER],
    "responses": {200: ModelSerializer, **REFUSED},
}
HOOK: dict[str, Any] = {
    "operation_id": "call_webhook",
    "summary": "Call webhook",
    "tags": ["modules"],
    "auth": [],
    "request": {"application/json": OpenApiTypes.OBJECT},
    "responses": {200: WebhookAnswerSerializer}
    | dict.fromkeys((401, 404, 409, 413, 415, 422, 502, 503, 504), fields.ModuleRefusalSerializer),
}

"""Stored completions as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from chatapi.openapi import BEARER, CompletionSerializer, ErrorAnswerSerializer


class StoredCompletionSerializer(CompletionSerializer):
    """A whole answer, and its metadata."""

    metadata = serializers.DictField(child=serializers.CharField())


class StoredCompletionListSerializer(serializers.Serializer[Any]):
    """A page of completions."""

    object = serializers.CharField(help_text="`list`")
    data = StoredCompletionSerializer(many=True)  # type: ignore[assignment]  # as in ModelListSerializer
    first_id = serializers.CharField(allow_blank=True)
    last_id = serializers.CharField(allow_blank=True)
    has_more = serializers.BooleanField()


class StoredMessageListSerializer(serializers.Serializer[Any]):
    """A page of messages, each with an id."""

    object = serializers.CharField(help_text="`list`")
    data = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]  # as in ModelListSerializer
    first_id = serializers.CharField(allow_blank=True)
    last_id = serializers.CharField(allow_blank=True)
    has_more = serializers.BooleanField()


class DeletedCompletionSerializer(serializers.Serializer[Any]):
    """What was removed."""

    id = serializers.CharField()
    object = serializers.CharField(help_text="`chat.completion.deleted`")
    deleted = serializers.BooleanField()


class MetadataSerializer(serializers.Serializer[Any]):
    """What may be changed."""

    metadata = serializers.DictField(allow_null=True, child=serializers.CharField(max_length=512))


def _described(operation: str, summary: str, answer: Any, *refused: int, **more: Any) -> dict[str, Any]:
    refusals = dict.fromkeys((400, 401, 404, 405, 500, 503, *refused), ErrorAnswerSerializer)
    shown: dict[str, Any] = {"operation_id": operation, "summary": summary, "tags": ["chat"], "auth": BEARER}
    return shown | {"responses": {200: answer, **refusals}} | more


PAGING = [
    OpenApiParameter("limit", int, description="1 to 100; 20 when left out."),
    OpenApiParameter("order", str, enum=["asc", "desc"], description="`asc` when left out."),
    OpenApiParameter("after", str, description="The id of the last one of the page before."),
]
FILTERS = [
    OpenApiParameter("model", str, description="Those of one model."),
    OpenApiParameter("metadata", {"type": "object"}, style="deepObject", description="Those with these pairs."),
]
LIST = _described(
    "list_chat_completions", "List stored completions", StoredCompletionListSerializer, parameters=[*PAGING, *FILTERS]
)
READ = _described("read_chat_completion", "Read stored completion", StoredCompletionSerializer)
LABEL = _described(
    "update_chat_completion",
    "Update stored completion",
    StoredCompletionSerializer,
    413,
    415,
    request=MetadataSerializer,
)
DELETE = _described("delete_chat_completion", "Delete stored completion", DeletedCompletionSerializer)
MESSAGES = _described("list_chat_completion_messages", "List messages", StoredMessageListSerializer, parameters=PAGING)

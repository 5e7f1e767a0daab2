"""What the memory's endpoints take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from publishing.api.fields import CursorPageSerializer
from publishing.models import Entity, Turn


class EntityQuerySerializer(serializers.Serializer[Any]):
    """Which memory is meant, and whose, where an admin may look at more than one."""

    entity_id = serializers.CharField(
        max_length=300, trim_whitespace=False, help_text="The entity's id, character by character as the chat got it."
    )
    owner = serializers.CharField(
        required=False, allow_blank=True, help_text="A user id; empty: the tenant's own. Left out: the caller's."
    )


class EntityPageSerializer(CursorPageSerializer):
    """Which page of a Core's memories."""

    owner = serializers.CharField(
        required=False, allow_blank=True, help_text="A user id; empty: the tenant's own. Left out: all you may see."
    )


class TurnPageSerializer(CursorPageSerializer, EntityQuerySerializer):
    """Which page of whose turns."""


class EntitySummarySerializer(serializers.Serializer[Entity]):
    """A memory without its content."""

    entity_id = serializers.CharField()
    owner = serializers.CharField(help_text="A user id; empty where the memory belongs to the tenant.")
    turns = serializers.IntegerField(source="turns_committed")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class EntitySerializer(EntitySummarySerializer):
    """A memory."""

    state = serializers.JSONField()
    waits_for_answer = serializers.SerializerMethodField(help_text="Whether a checkpoint waits for the next message.")

    def get_waits_for_answer(self, entity: Entity) -> bool:
        """Whether the run stopped at a checkpoint."""
        return entity.resume is not None


class TurnSerializer(serializers.Serializer[Turn]):
    """One committed call."""

    number = serializers.IntegerField()
    request_id = serializers.CharField()
    user_id = serializers.CharField()
    core_version = serializers.IntegerField()
    message = serializers.CharField()
    response = serializers.CharField()
    beside = serializers.JSONField(
        help_text="What the answer held besides its text: `finish_reason`, `refusal`, `thought`, `tool_calls`; or null."
    )
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class EntityExportSerializer(EntitySerializer):
    """A memory with all its turns."""

    history = TurnSerializer(source="turns", many=True)

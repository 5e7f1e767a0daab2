"""What the endpoints of MCP servers take and give."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from publishing.actions.mcp_servers import changes_of, found_digest
from publishing.api.fields import PlainCharField, SecondsField
from publishing.api.openapi import items
from publishing.models import McpServer

HEADERS_HELP = "Sent with each request, such as `Authorization`; sealed, and never given back."
TIMEOUT_HELP = "Longest time that a call may take, in seconds."


class HeadersField(serializers.DictField):
    """Names and values."""

    child = PlainCharField(max_length=4000)


class NewMcpServerSerializer(serializers.Serializer[Any]):
    """A server to add."""

    ref = PlainCharField(max_length=100, help_text="The name by which flows know it; it never changes.")
    url = PlainCharField(max_length=500, help_text="Where it takes requests, e.g. `https://host/mcp`.")
    headers = HeadersField(required=False, help_text=HEADERS_HELP)
    timeout_s = SecondsField(required=False, help_text=TIMEOUT_HELP)


class McpServerChangeSerializer(serializers.Serializer[Any]):
    """What to change of a server; what is left out stays. Headers are replaced as a whole."""

    ref = PlainCharField(required=False, max_length=100, help_text="The one in the URL, if it is sent at all.")
    url = PlainCharField(
        required=False, max_length=500, help_text="With another one its tools are gone until it is refreshed."
    )
    headers = HeadersField(required=False, help_text=HEADERS_HELP)
    timeout_s = SecondsField(required=False, help_text=TIMEOUT_HELP)


@extend_schema_field(OpenApiTypes.OBJECT)
class SchemaField(serializers.JSONField):
    """A JSON Schema."""


class McpToolSerializer(serializers.Serializer[Any]):
    """A tool, as it was accepted. What stands in it is the server's own, and data."""

    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    input_schema = SchemaField()
    digest = serializers.CharField(help_text="SHA-256 over the three.")


class LeftOutSerializer(serializers.Serializer[Any]):
    """A tool that the server lists and that cannot be used."""

    name = serializers.CharField()
    reason = serializers.CharField(help_text="Why not.")


class ToolChangeSerializer(serializers.Serializer[Any]):
    """What the server listed last otherwise than it was accepted. Until that is accepted, no flow uses it."""

    name = serializers.CharField()
    change = serializers.CharField(help_text="`added`, `removed` or `changed`.")
    parts = serializers.ListField(child=serializers.CharField(), help_text="What of a changed one.")


class McpServerSerializer(serializers.Serializer[McpServer]):
    """A server without the values of its headers."""

    ref = serializers.CharField()
    url = serializers.CharField()
    header_names = serializers.ListField(child=serializers.CharField())
    timeout_s = serializers.FloatField()
    protocol = serializers.CharField(help_text="The version that it speaks; empty before the first refresh.")
    tools = McpToolSerializer(many=True)
    changes = serializers.SerializerMethodField()
    digest = serializers.SerializerMethodField(help_text="Names the list that the server gave last: to accept it.")
    left_out = LeftOutSerializer(many=True)
    fetched_at = serializers.DateTimeField(allow_null=True)
    accepted_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @extend_schema_field(ToolChangeSerializer(many=True))
    def get_changes(self, server: McpServer) -> list[Any]:
        """What waits to be accepted."""
        return list(ToolChangeSerializer(changes_of(server), many=True).data)

    def get_digest(self, server: McpServer) -> str:
        """The list that the server gave last."""
        return found_digest(server)


LIST = items("McpServers", McpServerSerializer, total=serializers.IntegerField())


class RefreshedSerializer(McpServerSerializer):
    """A server that was asked for its tools."""

    problem = serializers.CharField(allow_blank=True, help_text="Why it gave no list; empty where it did.")


class AcceptSerializer(serializers.Serializer[Any]):
    """Which list is accepted."""

    digest = PlainCharField(max_length=64, help_text="The `digest` that was looked at.")

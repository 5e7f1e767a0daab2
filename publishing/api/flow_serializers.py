"""What the flow endpoints take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from identity.actors import Actor
from publishing import documents
from publishing.actions import Deployment
from publishing.api.fields import DiagnosticSerializer, FlowDocumentField, PlainCharField
from publishing.models import CoreVersion, FlowVersion


class NewFlowSerializer(serializers.Serializer[Any]):
    """A flow to make."""

    name = PlainCharField(max_length=200)
    description = PlainCharField(required=False, allow_blank=True, help_text="Left out: the document's own.")
    content = FlowDocumentField(help_text="The v2 flow document. Its `id` is replaced by the server's.")


class FlowChangeSerializer(serializers.Serializer[Any]):
    """What to save of a flow; what is left out stays."""

    name = PlainCharField(required=False, max_length=200)
    description = PlainCharField(required=False, allow_blank=True)
    content = FlowDocumentField(required=False, help_text="Bumps the patch version.")
    base_version = PlainCharField(
        required=False, help_text="The version that the change is based on; or send it as the `If-Match` header."
    )


class DeployBodySerializer(serializers.Serializer[Any]):
    """The body of a deploy; it may be left out."""

    base_version = PlainCharField(required=False, help_text="Refuse with 409 unless this is the saved version.")
    accept_memory_change = serializers.BooleanField(
        default=False, help_text="Deploy although the live version's memories would not be read whole."
    )
    slug = PlainCharField(
        required=False,
        help_text="The last part of the model's name, at the first deploy. Left out: `config.slug` of the document, "
        "else made from the flow's name.",
    )


class DocumentSerializer(serializers.Serializer[Any]):
    """A document to check without storing it."""

    content = FlowDocumentField(help_text="The v2 flow document.")


class FlowSummarySerializer(serializers.Serializer[FlowVersion]):
    """A flow in a list, as of its newest save."""

    id = serializers.CharField(source="flow.id")
    name = serializers.CharField(source="flow.name")
    description = serializers.CharField(source="flow.description")
    tags = serializers.ListField(
        source="flow.tags", child=serializers.CharField(), help_text="`metadata.tags` of the saved document."
    )
    version = serializers.CharField(help_text="The saved version.")
    owner_id = serializers.CharField(source="flow.owner_id", allow_null=True)
    created_at = serializers.DateTimeField(source="flow.created_at")
    updated_at = serializers.DateTimeField(source="flow.updated_at")


class FlowSerializer(FlowSummarySerializer):
    """A flow with its saved document."""

    content = FlowDocumentField()


class FlowVersionSummarySerializer(serializers.Serializer[FlowVersion]):
    """One save of a flow."""

    version = serializers.CharField()
    name = serializers.CharField(help_text="What people call it; empty unless somebody has named it.")
    note = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()


class VersionLabelSerializer(serializers.Serializer[Any]):
    """What people call a saved version; what is left out becomes empty."""

    name = PlainCharField(required=False, default="", allow_blank=True, max_length=80)
    note = PlainCharField(required=False, default="", allow_blank=True, max_length=2000)


class FlowVersionSerializer(FlowVersionSummarySerializer):
    """One save of a flow with its document."""

    content = FlowDocumentField()


class DeploymentSerializer(serializers.Serializer[Deployment]):
    """What a deploy did."""

    flow_id = serializers.CharField(source="core.flow_id")
    flow_version = serializers.CharField(source="version.flow_version")
    core_id = serializers.CharField(source="core.pk")
    core_version = serializers.IntegerField(source="version.number")
    slug = serializers.CharField(source="core.slug")
    published_slug = serializers.CharField(source="publication.name", default=None, allow_null=True)
    unpublished_slug = serializers.CharField(source="unpublished", allow_null=True)
    visibility = serializers.CharField(source="publication.visibility", default=None, allow_null=True)
    group_ids = serializers.ListField(source="publication.group_ids", child=serializers.CharField(), default=list)
    message = serializers.CharField(help_text="The sentence that the web UI shows.")
    held = serializers.CharField(
        source="hold.reason", required=False, help_text="While staff hold the Core un-published: why."
    )


class DeployedVersionSerializer(serializers.Serializer[CoreVersion]):
    """An earlier deploy of a flow."""

    core_id = serializers.CharField()
    core_version = serializers.IntegerField(source="number")
    flow_version = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    live = serializers.SerializerMethodField()

    def get_live(self, version: CoreVersion) -> bool:
        """Whether this is the version that answers."""
        return version.core.live_id == version.pk


class ValidationSerializer(serializers.Serializer[Any]):
    """What the compiler says of a document."""

    valid = serializers.BooleanField()
    diagnostics = DiagnosticSerializer(many=True)
    capabilities = serializers.ListField(
        child=serializers.CharField(), help_text="What the flow can do for its callers; none while it is not valid."
    )


class ManifestSerializer(serializers.Serializer[Any]):
    """A compiled document."""

    manifest = serializers.CharField(help_text="YAML with the root key `core`.")
    diagnostics = DiagnosticSerializer(many=True, help_text="Warnings.")


def document(saved: FlowVersion, actor: Actor) -> dict[str, Any]:
    """A saved document, as `actor` may see it."""
    shown = documents.complete(saved.flow, saved)
    return shown if actor.manages(saved.flow.tenant_id) else documents.for_member(saved.flow, shown)

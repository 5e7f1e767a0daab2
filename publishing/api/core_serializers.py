"""What the module's endpoints take and give."""

from __future__ import annotations

from typing import Any, get_args

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from identity.actors import Actor
from publishing.actions import remotes
from publishing.api.fields import LARGEST, FlowDocumentField, PlainCharField, SecondsField, WholeNumberField
from publishing.models import Core, CoreVersion, Publication
from scaicore import EntityScope, InstanceMode

SIGNING_HELP = "Signs the calls; never given back. Left out: stays as it is. Empty: calls are not signed."


class RemoteBodySerializer(serializers.Serializer[Any]):
    """A program that lives elsewhere."""

    url = PlainCharField(max_length=2000, help_text="Where calls are posted; http or https, without a query.")
    secret = PlainCharField(required=False, allow_blank=True, max_length=1000, help_text=SIGNING_HELP)
    timeout_s = SecondsField(
        required=False, min_value=0.1, max_value=600.0, help_text="Most seconds for a whole call; 60."
    )
    instance_mode = serializers.ChoiceField(get_args(InstanceMode), required=False, help_text="`stateless` at first.")
    entity_scope = serializers.ChoiceField(get_args(EntityScope), required=False, help_text="`user` at first.")
    capabilities = serializers.ListField(
        child=PlainCharField(max_length=100),
        required=False,
        max_length=50,
        help_text="What it can do besides answering a text with a text, such as `structured_output`.",
    )


class RemoteSerializer(serializers.Serializer[Any]):
    """A program that lives elsewhere, without its secret."""

    url = serializers.CharField()
    timeout_s = serializers.FloatField()
    has_secret = serializers.BooleanField()


class NewCoreSerializer(serializers.Serializer[Any]):
    """A Core to make from a v2 flow document, or of a program that lives elsewhere."""

    name = PlainCharField(max_length=200)
    slug = PlainCharField(
        required=False, max_length=63, help_text="Left out: made from the name. Taken: 409 `SLUG_CONFLICT`."
    )
    description = PlainCharField(required=False, allow_blank=True, help_text="Left out: the document's own.")
    content = FlowDocumentField(required=False, help_text="The v2 flow document; this or `remote`.")
    remote = RemoteBodySerializer(required=False, help_text="The program elsewhere; this or `content`.")


class CoreChangeSerializer(serializers.Serializer[Any]):
    """What to change of a Core; what is left out stays."""

    name = PlainCharField(required=False, max_length=200)
    slug = PlainCharField(required=False, help_text="Never changes: any but the Core's own is refused.")
    description = PlainCharField(required=False, allow_blank=True)
    content = FlowDocumentField(required=False, help_text="A new version, for a Core that has no flow.")
    remote = RemoteBodySerializer(required=False, help_text="A new version, for a Core whose program lives elsewhere.")


class CoreSerializer(serializers.Serializer[Core]):
    """A Core."""

    id = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    driver = serializers.CharField(help_text="`flow`, or `remote` for a program that lives elsewhere")
    remote = serializers.SerializerMethodField(help_text="Only where the driver is `remote`.")
    instance_mode = serializers.CharField(source="live.instance_mode", default=None, allow_null=True)
    entity_scope = serializers.CharField(source="live.entity_scope", default=None, allow_null=True)
    capabilities = serializers.ListField(
        source="live.capabilities", default=[], help_text="What the live version can do for its callers."
    )
    version = serializers.IntegerField(source="live.number", default=None, allow_null=True)
    status = serializers.SerializerMethodField(help_text="`deployed`, or `empty` without a live version")
    published = serializers.SerializerMethodField()
    published_slug = serializers.CharField(source="publication.name", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    held = serializers.CharField(
        source="hold.reason", required=False, help_text="Why staff keep it un-published: only while they do, to admins."
    )

    @extend_schema_field(RemoteSerializer(allow_null=True))
    def get_remote(self, core: Core) -> dict[str, Any] | None:
        """Where the program lives."""
        return remotes.audit_view(core)

    def get_status(self, core: Core) -> str:
        """Whether there is something to run."""
        return "deployed" if core.live_id else "empty"

    def get_published(self, core: Core) -> bool:
        """Whether the Core is a chat model."""
        return hasattr(core, "publication")


class CoreVersionSerializer(serializers.Serializer[CoreVersion]):
    """One deploy of a Core."""

    version = serializers.IntegerField(source="number")
    flow_version = serializers.CharField(help_text="Empty for a version that was made without a flow.")
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    live = serializers.SerializerMethodField()

    def get_live(self, version: CoreVersion) -> bool:
        """Whether this is the version that answers."""
        return version.core.live_id == version.pk


class RollbackSerializer(serializers.Serializer[Any]):
    """The version to make live."""

    version = WholeNumberField(min_value=1, max_value=LARGEST)
    accept_memory_change = serializers.BooleanField(
        default=False, help_text="Roll back although that version would not read all that the live one remembers."
    )


class PublishBodySerializer(serializers.Serializer[Any]):
    """Who may call the model; documentation only, the action itself checks the list."""

    group_ids = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="ScaiKey group ids. []: everyone in the tenant. Left out: the visibility stays as it is.",
    )


class PublicationSerializer(serializers.Serializer[Publication]):
    """A Core as a chat model."""

    core_id = serializers.CharField()
    published_slug = serializers.CharField(source="name")
    visibility = serializers.CharField(help_text="`tenant` or `groups`")
    group_ids = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Shown to admins of the tenant only."
    )
    version = serializers.IntegerField(source="core.live.number", default=None, allow_null=True)
    published_at = serializers.DateTimeField()
    published_by = serializers.CharField()


def core(row: Core, actor: Actor) -> dict[str, Any]:
    """The Core as `actor` may see it."""
    shown = CoreSerializer(row).data
    has_hold = shown.get("held") and actor.manages(row.tenant_id)
    return {name: value for name, value in shown.items() if name != "held" or has_hold}


def publication(row: Publication, actor: Actor) -> dict[str, Any]:
    """The publication as `actor` may see it."""
    shown = PublicationSerializer(row).data
    return {name: value for name, value in shown.items() if name != "group_ids" or actor.manages(row.tenant_id)}

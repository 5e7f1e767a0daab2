"""Flows and their versions, Cores and theirs."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from identity import ids
from identity.models import Tenant, User, slug_validator
from scaicore.capabilities import canonical


def flow_id() -> str:
    """A fresh `flow_…`."""
    return ids.new("flow")


def core_id() -> str:
    """A fresh `core_…`."""
    return ids.new("core")


class Flow(models.Model):
    """An editable document; every save of its content is a new flow version."""

    id = models.CharField(primary_key=True, max_length=40, default=flow_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="flows")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=list, db_default=[], blank=True, editable=False)  # those of the saved document
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="flows")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["tenant", "name"], name="flow_by_tenant")]

    def __str__(self) -> str:
        return self.name

    @property
    def saved(self) -> FlowVersion:
        """The newest saved version."""
        return self.versions.latest("number")


class FlowVersion(models.Model):
    """One saved document, word for word. The database refuses to change it (migration `publishing.0002`)."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    version = models.CharField(max_length=40)
    content = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=254)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["flow", "number"], name="flow_version_number_unique"),
            models.UniqueConstraint(fields=["flow", "version"], name="flow_version_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.flow_id} {self.version}"

    @property
    def name(self) -> str:
        """What people call it; empty where nobody has named it."""
        return str(getattr(getattr(self, "label", None), "name", ""))

    @property
    def note(self) -> str:
        """What people note about it."""
        return str(getattr(getattr(self, "label", None), "note", ""))


class VersionLabel(models.Model):
    """What people call a saved version, and what they note about it; the version itself never changes."""

    version = models.OneToOneField(FlowVersion, on_delete=models.CASCADE, primary_key=True, related_name="label")
    name = models.CharField(max_length=80, blank=True)
    note = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name or str(self.version)


class CoreQuerySet(models.QuerySet["Core"]):
    """Cores."""

    def publishable(self) -> CoreQuerySet:
        """Those that could be published now: with a live version, not published yet, and not held."""
        return self.filter(live__isnull=False, publication=None, hold=None)


class Core(models.Model):
    """What a deploy creates from a flow, or stands in for a program elsewhere: a name for clients and one live version.
    Its slug and its driver never change; `sealed_secret` signs the calls of a program elsewhere."""

    id = models.CharField(primary_key=True, max_length=40, default=core_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="cores")
    flow = models.OneToOneField(Flow, null=True, on_delete=models.CASCADE, related_name="core")
    slug = models.CharField(max_length=63, validators=[slug_validator])
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    driver = models.CharField(max_length=20, default="flow", editable=False)
    sealed_secret = models.BinaryField(null=True, editable=False)
    live = models.ForeignKey("CoreVersion", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CoreQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "slug"],
                name="core_slug_unique_in_tenant",
                violation_error_message="A Core with this slug exists already.",
            ),
            # What the composite foreign key of publications points to.
            models.UniqueConstraint(fields=["tenant", "id"], name="core_tenant_id"),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.slug}"

    @property
    def label(self) -> str:
        """Tenant, slug and name."""
        return f"{self} ({self.name})"

    @property
    def model_name(self) -> str:
        """The name under which clients call this Core once it is published."""
        return f"scaicore/{self.tenant_id}/{self.slug}"


class CoreVersion(models.Model):
    """The compiled program of one deploy. The database refuses to change it (migration `publishing.0002`)."""

    core = models.ForeignKey(Core, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    program = models.JSONField()
    manifest = models.TextField()
    flow_version = models.CharField(max_length=40, blank=True)
    instance_mode = models.CharField(max_length=20)
    entity_scope = models.CharField(max_length=20)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=254)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["core", "number"], name="core_version_number_unique")]

    def __str__(self) -> str:
        return f"{self.core_id} version {self.number}"

    @property
    def capabilities(self) -> list[str]:
        """What the program can do for its callers, besides answering a text with a text."""
        return list(canonical(self.program.get("capabilities", ())))

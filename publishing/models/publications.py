"""The published names, and who may call them."""

from __future__ import annotations

from typing import Any

from django.db import models

from identity.models import Group, Tenant, User
from publishing.models.flows import Core, CoreVersion


class Visibility(models.TextChoices):
    """Who may call a published model. Explicit, so that an emptied list of groups means nobody, not everybody."""

    TENANT = "tenant", "Everyone in the tenant"
    GROUPS = "groups", "Members of the listed groups"


class Publication(models.Model):
    """The fact that a Core is reachable as a chat model. No row: the name answers as if it never existed."""

    core = models.OneToOneField(Core, primary_key=True, on_delete=models.CASCADE, related_name="publication")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="publications")
    name = models.CharField("published name", max_length=200, unique=True)
    visibility = models.CharField(max_length=10, choices=Visibility.choices)
    groups: models.ManyToManyField[Group, Grant] = models.ManyToManyField(
        Group, through="Grant", related_name="publications"
    )
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=254)

    class Meta:
        ordering = ["name"]
        constraints = [
            # A third word here would be a visibility that the decision does not know.
            models.CheckConstraint(condition=models.Q(visibility__in=Visibility.values), name="visibility_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def group_ids(self) -> list[str]:
        """The ids of the listed groups, sorted; grants that were prefetched are not asked for again."""
        is_there = "grants" in getattr(self, "_prefetched_objects_cache", {})
        grants = self.grants.all() if is_there else self.grants.select_related("group")
        return sorted(grant.group.scaikey_id for grant in grants)

    @property
    def has_nobody(self) -> bool:
        """Whether it is open to groups of which none is left; grants that were prefetched are not asked for again."""
        return self.visibility == Visibility.GROUPS and not self.grants.all()


class Grant(models.Model):
    """A group of the publication's own tenant may call it (a composite foreign key enforces the tenant)."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="grants")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="grants")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publication", "group"], name="grant_unique")]

    def __str__(self) -> str:
        return f"{self.publication_id} for {self.group_id}"


class LastVisibility(models.Model):
    """Whom a Core was open to when it was last un-published: what publishing it again without a list takes up.

    The groups are rows and not ids: a deleted group vanishes here too, and a new one with its id is another group.
    """

    core = models.OneToOneField(Core, primary_key=True, on_delete=models.CASCADE, related_name="last_visibility")
    visibility = models.CharField(max_length=10, choices=Visibility.choices)
    groups = models.ManyToManyField(Group, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(visibility__in=Visibility.values), name="last_visibility_known"),
        ]

    def __str__(self) -> str:
        return f"{self.core_id}: {self.visibility}"


class Hold(models.Model):
    """Staff keep a Core from being published: it has no publication (triggers of migration `publishing.0008`)."""

    core = models.OneToOneField(Core, primary_key=True, on_delete=models.CASCADE, related_name="hold")
    reason = models.CharField(max_length=500)
    held_at = models.DateTimeField()
    held_by = models.CharField(max_length=254)

    class Meta:
        constraints = [
            # A hold without a word would leave the tenant's admins with nothing to do about it.
            models.CheckConstraint(condition=~models.Q(reason=""), name="hold_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.core_id}: {self.reason}"


class Access(models.Model):
    """The access decision: one row for each active user and each publication of the user's own tenant.

    A view of the database, whose text is in `publishing/registry.py`. `may_call` is the only place where visibility
    and groups are weighed; the chat, the model list, the audience page and the admin all read it.
    """

    id: Any
    user = models.OneToOneField(User, primary_key=True, on_delete=models.DO_NOTHING, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.DO_NOTHING, related_name="+")
    publication = models.ForeignKey(Publication, on_delete=models.DO_NOTHING, related_name="access")
    name = models.CharField(max_length=200)
    version = models.ForeignKey(CoreVersion, on_delete=models.DO_NOTHING, related_name="+")
    published_at = models.DateTimeField()
    may_call = models.BooleanField()

    class Meta:
        managed = False
        db_table = "publishing_access"

    def __str__(self) -> str:
        return f"{self.user_id} {'may' if self.may_call else 'may not'} call {self.name}"

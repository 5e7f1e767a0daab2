"""What was called: one row for each run of a Core, however it ended."""

from __future__ import annotations

from django.db import models

from publishing.models import Core


class Outcome(models.TextChoices):
    """How a run ended."""

    OK = "ok", "answered"
    FAILED = "failed", "failed"
    TIMED_OUT = "timed_out", "timed out"
    CANCELLED = "cancelled", "caller left"


class RunTrace(models.Model):
    """What the nodes of one run did, for flows that ask for it; pruned by age."""

    at = models.DateTimeField(db_index=True)
    request_id = models.CharField(max_length=40, unique=True)
    tenant_id = models.CharField(max_length=63)
    user_id = models.CharField(max_length=40)
    core_id = models.CharField(max_length=40)
    core_version = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    duration_ms = models.PositiveIntegerField()
    nodes = models.JSONField()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["core_id", "-id"], name="trace_by_core")]

    def __str__(self) -> str:
        return f"{self.request_id} {self.outcome}"


class UsageRecord(models.Model):
    """One run. Everything is kept as text, so that the figures outlive users, keys and Cores."""

    at = models.DateTimeField()
    request_id = models.CharField(max_length=40, unique=True)
    tenant_id = models.CharField(max_length=63)
    user_id = models.CharField(max_length=40)
    key_id = models.CharField(max_length=40)
    core_id = models.CharField(max_length=40)
    core_version = models.PositiveIntegerField()
    model = models.CharField(max_length=200)
    purpose = models.CharField(max_length=20, default="chat")
    is_streamed = models.BooleanField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    prompt_tokens = models.PositiveIntegerField()
    completion_tokens = models.PositiveIntegerField()
    duration_ms = models.PositiveIntegerField()
    first_token_ms = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["tenant_id", "-at"], name="usage_by_tenant"),
            models.Index(fields=["core_id", "-at"], name="usage_by_core"),
            # The last run of a webhook stands behind all the chat's.
            models.Index(
                fields=["core_id", "purpose", "-at"],
                name="usage_unasked",
                condition=models.Q(purpose__in=["webhook", "schedule"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.outcome}"


class RemoteCore(Core):
    """A Core whose program lives elsewhere, for the staff's list of them."""

    class Meta:
        proxy = True
        verbose_name = "remote Core"


class WebhookCore(Core):
    """A Core that is called by webhook, for the staff's list of them."""

    class Meta:
        proxy = True
        verbose_name = "webhook"


class ScheduledCore(Core):
    """A Core that starts by itself, for the staff's list of them."""

    class Meta:
        proxy = True
        verbose_name = "schedule"

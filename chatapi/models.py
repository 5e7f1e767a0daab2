"""What was called: one row for each run of a Core, however it ended, and the sums of each day."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from publishing.models import Core


class Outcome(models.TextChoices):
    """How a run ended."""

    OK = "ok", "answered"
    FAILED = "failed", "failed"
    TIMED_OUT = "timed_out", "timed out"
    CANCELLED = "cancelled", "caller left"


class RunTrace(models.Model):
    """What the nodes of one run did, for flows that ask for it; pruned by age, gone with its caller (a trigger)."""

    at = models.DateTimeField(db_index=True)
    request_id = models.CharField(max_length=40, unique=True)
    tenant_id = models.CharField(max_length=63)
    user_id = models.CharField(max_length=40)
    core_id = models.CharField(max_length=40)
    core_version = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    duration_ms = models.PositiveIntegerField()
    nodes = models.JSONField()
    # What was asked, so that it can be asked again; null where it is too long to be kept, or holds media.
    input = models.JSONField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["core_id", "-id"], name="trace_by_core"),
            models.Index(fields=["user_id"], name="trace_by_user"),
        ]

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
    # Why it failed (`chatapi.run_history.reasons`) and at which node; servers of an earlier version write neither.
    reason = models.CharField(max_length=40, default="", db_default="")
    node_id = models.CharField(max_length=200, default="", db_default="")

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
            # What did not end well is looked for among many that did.
            models.Index(
                fields=["tenant_id", "-at"],
                name="usage_not_ok",
                condition=models.Q(outcome__in=["failed", "timed_out", "cancelled"]),
            ),
            # Rows come in the order of their times: a day is found by an index of a few pages.
            BrinIndex(fields=["at"], name="usage_by_time", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.outcome}"


class StoredResponse(models.Model):
    """An answer of `/v1/responses` that its caller may read, delete and go on from; pruned by age.

    `input` is the items of its own request, `response` the object as it was given. A trigger of the database removes
    the rows of a user who is deleted.
    """

    id = models.CharField(max_length=40, primary_key=True)
    user_id = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    status = models.CharField(max_length=20)
    previous_id = models.CharField(max_length=40, null=True)
    input = models.JSONField()
    response = models.JSONField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["user_id"], name="stored_response_by_user")]

    def __str__(self) -> str:
        return self.id


class StoredCompletion(models.Model):
    """An answer of the chat that its caller wanted stored (`store: true`); pruned by age, gone with the user.

    `completion` is the answer as it was given, `messages` what was asked.
    """

    id = models.CharField(max_length=40, primary_key=True)
    user_id = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    completion = models.JSONField()
    messages = models.JSONField()
    metadata = models.JSONField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["user_id", "created_at", "id"], name="stored_completion_by_user")]

    def __str__(self) -> str:
        return self.id


class KeptUsage(models.Model):
    """The first day of which all records are there: one row, and none while nothing was ever pruned."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    since = models.DateField()

    def __str__(self) -> str:
        return f"since {self.since}"


class CountedDay(models.Model):
    """The runs of one day (UTC) that have the same key, summed up. `chatapi.daily_usage` keeps it exact.

    `counts` says how many of them took as long as `durations` at the same index, in milliseconds rounded to two digits.
    A duration may stand there several times.
    """

    day = models.DateField()
    tenant_id = models.CharField(max_length=63)
    core_id = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    purpose = models.CharField(max_length=20)
    requests = models.BigIntegerField()
    errors = models.BigIntegerField()
    prompt_tokens = models.BigIntegerField()
    completion_tokens = models.BigIntegerField()
    last_at = models.DateTimeField()
    durations = ArrayField(models.IntegerField())
    counts = ArrayField(models.BigIntegerField())

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=models.Q(durations__len=models.F("counts__len")), name="%(class)s_counts_each_duration"
            )
        ]


class ModelDay(CountedDay):
    """A day of one model, whoever called it."""

    class Meta(CountedDay.Meta):
        constraints = [
            *CountedDay.Meta.constraints,
            models.UniqueConstraint(
                fields=["tenant_id", "day", "core_id", "model", "purpose"], name="one_row_for_a_day_of_a_model"
            ),
        ]
        indexes = [
            models.Index(fields=["core_id", "-day"], name="model_day_by_core"),
            BrinIndex(fields=["day"], name="model_day_by_day", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.model}: {self.requests}"


class CallerDay(CountedDay):
    """A day of one model, called by one user with one key; both are empty where nobody called, as for a webhook."""

    user_id = models.CharField(max_length=40)
    key_id = models.CharField(max_length=40)

    class Meta(CountedDay.Meta):
        constraints = [
            *CountedDay.Meta.constraints,
            models.UniqueConstraint(
                fields=["tenant_id", "day", "user_id", "key_id", "core_id", "model", "purpose"],
                name="one_row_for_a_day_of_a_caller",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "user_id", "-day"], name="caller_day_by_user"),
            BrinIndex(fields=["day"], name="caller_day_by_day", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.user_id} {self.model}: {self.requests}"


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

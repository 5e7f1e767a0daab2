"""When Cores start by themselves."""

from __future__ import annotations

from django.db import models

from publishing.models.flows import Core


class Schedule(models.Model):
    """A schedule of a Core's live version, and when it is due next; kept in step with what is live."""

    core = models.ForeignKey(Core, on_delete=models.CASCADE, related_name="schedules")
    entry = models.CharField(max_length=200)
    cron = models.CharField(max_length=200)
    timezone = models.CharField(max_length=100)
    missed = models.CharField(max_length=10)
    due_at = models.DateTimeField()

    class Meta:
        ordering = ["due_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["core", "entry"], name="schedule_unique_in_core")]
        indexes = [models.Index(fields=["due_at"], name="schedule_by_due")]

    def __str__(self) -> str:
        return f"{self.core} {self.cron}"

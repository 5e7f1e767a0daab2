"""Users who may not call a model: who tried, and who asked to."""

from __future__ import annotations

from typing import Any

from django.db import models

from identity.models import Tenant, User
from publishing.models.flows import Core


class Decision(models.TextChoices):
    """What became of a request. Open has a value of its own, so that a constraint can name it."""

    OPEN = "open", "waits for a tenant admin"
    GRANTED = "granted", "granted"
    DECLINED = "declined", "declined"


class AccessRequest(models.Model):
    """A user asks to call a model. The row itself opens nothing: a grant is a membership in a listed group."""

    id: Any
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    core = models.ForeignKey(Core, on_delete=models.CASCADE, related_name="access_requests")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_requests")
    message = models.TextField(blank=True, max_length=1000)
    asked_at = models.DateTimeField()
    decision = models.CharField(max_length=10, choices=Decision.choices, default=Decision.OPEN)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=254, blank=True)

    class Meta:
        ordering = ["asked_at", "id"]
        constraints = [
            # Asking twice is one question; an admin answers it once.
            models.UniqueConstraint(
                fields=["user", "core"], condition=models.Q(decision="open"), name="access_request_open_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} asks for {self.core}"


class Refusal(models.Model):
    """A user was refused a model of their own tenant (403), and when last. Written after the answer."""

    id: Any
    core = models.ForeignKey(Core, on_delete=models.CASCADE, related_name="refusals")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refusals")
    last_at = models.DateTimeField()

    class Meta:
        ordering = ["-last_at", "id"]
        # What the upsert of the ledger meets.
        constraints = [models.UniqueConstraint(fields=["core", "user"], name="refusal_unique")]

    def __str__(self) -> str:
        return f"{self.user} was refused {self.core}"

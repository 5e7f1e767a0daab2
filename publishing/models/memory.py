"""What Cores remember: one entity for each memory, one turn for each call that was committed to it."""

from __future__ import annotations

from django.db import models

from publishing.models.flows import Core


class Partition(models.TextChoices):
    """What keeps two memories of one Core apart."""

    ENTITY = "entity", "One memory for each entity id"
    SINGLETON = "singleton", "One memory for the Core"
    CALL = "call", "No memory: the row of one Idempotency-Key"


class Entity(models.Model):
    """One memory of a Core: its state, and the lease of the turn that is under way.

    `owner` is a user id, or empty where the memory belongs to the tenant. `resume` is where a checkpoint stopped.
    """

    core = models.ForeignKey(Core, on_delete=models.CASCADE, related_name="entities")
    partition = models.CharField(max_length=10, choices=Partition.choices)
    owner = models.CharField(max_length=40, blank=True)
    entity_id = models.CharField(max_length=300, blank=True)
    state = models.JSONField(default=dict)
    resume = models.JSONField(null=True)
    turns_committed = models.PositiveIntegerField(default=0)
    lease = models.CharField(max_length=40, null=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["-updated_at", "-id"]
        verbose_name_plural = "entities"
        constraints = [
            # Two rows for one memory would be two truths; it is also the index by which a turn finds its memory.
            models.UniqueConstraint(fields=["core", "partition", "owner", "entity_id"], name="entity_unique"),
        ]
        indexes = [models.Index(fields=["owner"], name="entity_by_owner")]

    def __str__(self) -> str:
        return f"{self.core_id} {self.partition} {self.entity_id}"


class Turn(models.Model):
    """One completed call, written in the statement that wrote the state it led to.

    `user_id` is empty in a shared memory once the user is deleted. `beside` is what the answer held besides its text:
    its finish reason, what the model thought or declined with, calls of the caller's tools; null for a plain one.
    """

    entity = models.ForeignKey(Entity, on_delete=models.CASCADE, related_name="turns")
    number = models.PositiveIntegerField()
    request_id = models.CharField(max_length=40)
    user_id = models.CharField(max_length=40)
    core_version = models.PositiveIntegerField()
    message = models.TextField()
    response = models.TextField()
    prompt_tokens = models.PositiveIntegerField()
    completion_tokens = models.PositiveIntegerField()
    beside = models.JSONField(null=True)
    fingerprint = models.BinaryField(max_length=32)
    idempotency_key = models.CharField(max_length=255, null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["entity", "number"], name="turn_number_unique"),
            # A key that two calls of one user share must not make two turns, whatever they meet on their way.
            models.UniqueConstraint(
                fields=["user_id", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="turn_idempotency_key_unique",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "fingerprint"], name="turn_by_fingerprint"),
            models.Index(fields=["user_id"], name="turn_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.entity_id} turn {self.number}"

"""What callers may use up: limits on requests, tokens and money, what was taken of each, and what a model costs."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Final

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from identity import ids
from identity.models import ApiKey, Group, Tenant, User
from publishing.models.flows import Core

PLACES: Final = 6


def _limit_id() -> str:
    return ids.new("limit")


class Measure(models.TextChoices):
    """What is counted."""

    REQUESTS = "requests", "requests"
    TOKENS = "tokens", "tokens"
    MONEY = "money", "money"


class Per(models.TextChoices):
    """For how long. A minute flows: what was taken comes back evenly. Days and months are UTC's."""

    MINUTE = "minute", "a minute"
    DAY = "day", "a day"
    MONTH = "month", "a month"


class Each(models.TextChoices):
    """For whom a limit counts separately."""

    TOGETHER = "", "all of them together"
    USER = "user", "each user"
    KEY = "key", "each key"


class UsageLimit(models.Model):
    """A limit of a tenant: on all that it calls, or on a user, a key or a group, for all models or for one.

    A group shares what it has, as a tenant does, unless the limit counts for `each`.
    """

    id = models.CharField(primary_key=True, max_length=40, default=_limit_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="limits")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="limits")
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, null=True, blank=True, related_name="limits")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="limits")
    each = models.CharField(
        "counts for", max_length=4, choices=Each.choices, blank=True, default=Each.TOGETHER, db_default=Each.TOGETHER
    )
    core = models.ForeignKey(
        Core, on_delete=models.CASCADE, null=True, blank=True, related_name="limits", help_text="Empty: all models."
    )
    measure = models.CharField(max_length=8, choices=Measure.choices)
    per = models.CharField(max_length=6, choices=Per.choices)
    amount = models.DecimalField(
        max_digits=20, decimal_places=PLACES, validators=[MinValueValidator(Decimal("0.000001"))]
    )
    is_soft = models.BooleanField("only warns", default=False, help_text="Calls beyond it are answered.")
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["tenant", "per", "measure", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~(
                    Q(user__isnull=False, key__isnull=False)
                    | Q(user__isnull=False, group__isnull=False)
                    | Q(key__isnull=False, group__isnull=False)
                ),
                name="limit_of_one",
                violation_error_message="Name one user, one key or one group, or none of them.",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="limit_is_positive"),
            models.CheckConstraint(
                condition=Q(measure__in=Measure.values, per__in=Per.values, each__in=Each.values), name="limit_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():,f} {self.measure} {self.get_per_display()}"


class LimitCell(models.Model):
    """What was taken of a limit: by all together, or by one user or key (`subject`).

    `level`: what counts as taken at the time `at`. `granted`, `asked` and `fits` are how the statement that takes tells
    what it gave; they mean nothing afterwards.
    """

    pk = models.CompositePrimaryKey("limit_id", "subject")
    limit = models.ForeignKey(UsageLimit, on_delete=models.CASCADE, related_name="cells")
    subject = models.CharField(max_length=40)
    level = models.DecimalField(max_digits=30, decimal_places=PLACES)
    at = models.DateTimeField()
    granted = models.DecimalField(max_digits=30, decimal_places=PLACES)
    asked = ArrayField(models.DecimalField(max_digits=30, decimal_places=PLACES), null=True)
    fits = ArrayField(models.BooleanField(), null=True)

    objects: ClassVar[models.Manager[LimitCell]] = models.Manager()

    def __str__(self) -> str:
        return f"{self.limit_id} {self.subject}".strip()


class Price(models.Model):
    """What a million tokens of a model cost, in the money in which the tenant's limits are given."""

    core = models.OneToOneField(Core, primary_key=True, on_delete=models.CASCADE, related_name="price")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    prompt = models.DecimalField(max_digits=14, decimal_places=PLACES, validators=[MinValueValidator(Decimal(0))])
    completion = models.DecimalField(max_digits=14, decimal_places=PLACES, validators=[MinValueValidator(Decimal(0))])

    def __str__(self) -> str:
        return f"{self.prompt.normalize():f} and {self.completion.normalize():f} for a million tokens"

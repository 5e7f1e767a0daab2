"""What the endpoints of limits and prices take and give."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from publishing.api.fields import PlainCharField, SecondsField
from publishing.limits.standing import Standing
from publishing.models import Each, Measure, Per

LARGEST = 10**13


class AmountField(SecondsField):
    """A JSON number of at most six decimal places, as an exact one."""

    def to_internal_value(self, data: Any) -> Decimal:  # type: ignore[override]
        """The number as it was written."""
        if abs(super().to_internal_value(data)) > LARGEST:
            self.fail("max_value", max_value=LARGEST)
        return round(Decimal(str(data)), 6)


class LimitBodySerializer(serializers.Serializer[Any]):
    """What a limit says."""

    measure = serializers.ChoiceField(Measure.values, help_text="What is counted.")
    per = serializers.ChoiceField(Per.values, help_text="For how long. A minute flows; days and months are UTC's.")
    amount = AmountField(min_value=0.000001, max_value=LARGEST, help_text="How much of it.")
    each = serializers.ChoiceField(
        Each.values,
        required=False,
        default="",
        help_text="Empty: one count for all; else one for each `user` or `key`.",
    )
    is_soft = serializers.BooleanField(
        required=False, default=False, help_text="Calls beyond it are answered, with a warning."
    )
    user = PlainCharField(
        max_length=40, required=False, allow_null=True, help_text="The id of the one user whose calls count."
    )
    key = PlainCharField(
        max_length=40, required=False, allow_null=True, help_text="The id of the one key whose calls count."
    )
    group = PlainCharField(
        max_length=200, required=False, allow_null=True, help_text="The id of the group whose members' calls count."
    )
    core = PlainCharField(
        max_length=40, required=False, allow_null=True, help_text="The id of the one Core whose calls count."
    )


class LimitSerializer(serializers.Serializer[Standing]):
    """A limit, and how much of it is used; where it counts for each, by the one who used most."""

    id = serializers.CharField(source="limit.pk")
    measure = serializers.ChoiceField(Measure.values, source="limit.measure")
    per = serializers.ChoiceField(Per.values, source="limit.per")
    amount = serializers.FloatField(source="limit.amount")
    each = serializers.ChoiceField(Each.values, source="limit.each")
    is_soft = serializers.BooleanField(source="limit.is_soft")
    user = serializers.CharField(source="limit.user_id", allow_null=True)
    key = serializers.CharField(source="limit.key_id", allow_null=True)
    group = serializers.CharField(source="limit.group.scaikey_id", allow_null=True, default=None)
    core = serializers.CharField(source="limit.core_id", allow_null=True)
    used = serializers.FloatField()
    percent = serializers.IntegerField()
    created_at = serializers.DateTimeField(source="limit.created_at")
    updated_at = serializers.DateTimeField(source="limit.updated_at")


class PriceSerializer(serializers.Serializer[Any]):
    """What a million tokens cost, in the money of the tenant's limits. Twice 0 is no price."""

    prompt = AmountField(min_value=0, max_value=10**7)
    completion = AmountField(min_value=0, max_value=10**7)

"""`/api/v1/limits`: how much a tenant's callers may use; and what a model costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from identity.errors import Invalid, Problem
from identity.models import ApiKey, Group, User
from publishing import actions
from publishing.actions import LimitTerms
from publishing.api.base import ApiView
from publishing.api.fields import OffsetPageSerializer, PlainCharField, SecondsField
from publishing.api.openapi import counted_list, in_api
from publishing.errors import CoreNotFound, LimitNotFound
from publishing.limits.standing import Standing, standings
from publishing.models import Core, Each, Measure, Per, UsageLimit

Row = TypeVar("Row", bound=Model)
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


def _named(field: str, given: dict[str, Any], rows: QuerySet[Row]) -> Row | None:
    """The row that a field names; None when it names none, and a refusal when the tenant has no such row."""
    if not given.get(field):
        return None
    found = rows.first()
    if found is None:
        raise Invalid(f"There is no such {field}.", [Problem(field, f"Your tenant has no {field} with this id.")])
    return found


class LimitView(ApiView):
    """A URL of limits, for those who manage the tenant."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """How much others use is for admins alone to see."""
        super().initial(request, *args, **kwargs)
        self.actor.must_manage(self.user.tenant_id)

    def read_terms(self) -> LimitTerms:
        """What the body says a limit is, with the rows of the tenant that it names."""
        given = self.fields(LimitBodySerializer)
        tenant = self.user.tenant_id
        return LimitTerms(
            measure=given["measure"],
            per=given["per"],
            amount=given["amount"],
            each=given["each"],
            is_soft=given["is_soft"],
            user=_named("user", given, User.objects.filter(tenant=tenant, pk=given.get("user"))),
            key=_named("key", given, ApiKey.objects.filter(user__tenant=tenant, pk=given.get("key"))),
            group=_named("group", given, Group.objects.filter(tenant=tenant, scaikey_id=given.get("group"))),
            core=_named("core", given, Core.objects.filter(tenant=tenant, pk=given.get("core"))),
        )

    def show(self, limit: UsageLimit) -> Any:
        """The limit as it is given back."""
        [standing] = standings([limit])
        return LimitSerializer(standing).data


class LimitListView(LimitView):
    """The tenant's limits."""

    @in_api(
        "list_limits",
        data=counted_list("Limits", LimitSerializer),
        query=OffsetPageSerializer,
        errors=[403, 422],
        tag="limits",
    )
    def get(self, request: Request) -> Response:
        """List the tenant's limits, each with how much of it is used now."""
        own = UsageLimit.objects.filter(tenant=self.user.tenant_id).select_related("group")
        return self.listed(own.order_by("created_at", "pk"), self.show)

    @in_api(
        "create_limit", data=LimitSerializer, body=LimitBodySerializer, status=201, errors=[400, 403, 422], tag="limits"
    )
    def post(self, request: Request) -> Response:
        """Set a limit. It counts from the next call on."""
        made = actions.create_limit(
            tenant=self.user.tenant, terms=self.read_terms(), actor=self.actor, at=timezone.now()
        )
        return Response(self.show(made), 201)


class LimitDetailView(LimitView):
    """One limit."""

    @in_api("save_limit", data=LimitSerializer, body=LimitBodySerializer, errors=[400, 403, 404, 422], tag="limits")
    def put(self, request: Request, limit_id: str) -> Response:
        """Change what a limit says. What was used of it counts on, unless it counts in another way now."""
        limit = self._find_limit(limit_id)
        saved = actions.save_limit(limit, terms=self.read_terms(), actor=self.actor, at=timezone.now())
        return Response(self.show(saved))

    @in_api("delete_limit", status=204, errors=[403, 404], tag="limits")
    def delete(self, request: Request, limit_id: str) -> Response:
        """Remove a limit, and what was counted on it."""
        actions.delete_limit(self._find_limit(limit_id), actor=self.actor, at=timezone.now())
        return Response(status=204)

    def _find_limit(self, limit_id: str) -> UsageLimit:
        """The limit of the caller's tenant with this id; another tenant's reads like none."""
        limit = UsageLimit.objects.filter(tenant=self.user.tenant_id, pk=limit_id).first()
        if limit is None:
            raise LimitNotFound
        return limit


class PriceView(ApiView):
    """What a model costs."""

    @in_api("set_price", data=PriceSerializer, body=PriceSerializer, errors=[400, 403, 404, 422], tag="limits")
    def put(self, request: Request, core_id: str) -> Response:
        """Set what a million tokens of a Core cost, for limits of money. Twice 0 takes the price away."""
        core = Core.objects.filter(tenant=self.user.tenant_id, pk=core_id).first()
        if core is None:
            raise CoreNotFound
        given = self.fields(PriceSerializer)
        actions.set_price(core, **given, actor=self.actor, at=timezone.now())
        return Response({name: float(value) for name, value in given.items()})

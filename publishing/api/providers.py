"""`/api/v1/providers`: the servers whose language models the tenant's flows may name."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from identity.errors import Invalid, Problem
from publishing import actions, providers
from publishing.actions import UNCHANGED
from publishing.api.base import ApiView
from publishing.api.fields import OffsetPageSerializer, PlainCharField, SecondsField
from publishing.api.openapi import in_api, items
from publishing.errors import ProviderNotFound
from publishing.models import ModelProvider

KEY_HELP = "Sent to the server as a bearer token; never given back. Empty: calls carry none."
TIMEOUT_HELP = "Longest silence before the first token and between two tokens, in seconds."


class NewProviderSerializer(serializers.Serializer[Any]):
    """A provider to add."""

    ref = PlainCharField(max_length=100, help_text="The name by which flows know it; it never changes.")
    base_url = PlainCharField(max_length=500, help_text="The part before `/chat/completions`, e.g. `https://host/v1`.")
    api_key = PlainCharField(required=False, allow_blank=True, allow_null=True, max_length=1000, help_text=KEY_HELP)
    timeout_s = SecondsField(required=False, help_text=TIMEOUT_HELP)


class ProviderChangeSerializer(serializers.Serializer[Any]):
    """What to change of a provider; what is left out stays."""

    ref = PlainCharField(required=False, max_length=100, help_text="The one in the URL, if it is sent at all.")
    base_url = PlainCharField(
        required=False, max_length=500, help_text="For another server the key must be sent again."
    )
    api_key = PlainCharField(required=False, allow_blank=True, allow_null=True, max_length=1000, help_text=KEY_HELP)
    timeout_s = SecondsField(required=False, help_text=TIMEOUT_HELP)


class ProviderSerializer(serializers.Serializer[ModelProvider]):
    """A provider without its key."""

    ref = serializers.CharField()
    base_url = serializers.CharField()
    has_key = serializers.BooleanField()
    timeout_s = serializers.FloatField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


OPERATORS_HELP = "Refs that the operator provides to every tenant; the tenant's own provider of the same ref wins."
LIST = items(
    "Providers",
    ProviderSerializer,
    total=serializers.IntegerField(),
    operator_refs=serializers.ListField(child=serializers.CharField(), help_text=OPERATORS_HELP),
)


class ProviderListView(ApiView):
    """The tenant's providers."""

    @in_api("list_providers", data=LIST, query=OffsetPageSerializer, errors=[422], tag="providers")
    def get(self, request: Request) -> Response:
        """List the providers of the tenant by ref, and the refs of the operator's."""
        own = ModelProvider.objects.filter(tenant=self.user.tenant_id).order_by("ref")
        answer = self.listed(own, lambda provider: ProviderSerializer(provider).data)
        answer.data["operator_refs"] = sorted(providers.operators())
        return answer

    @in_api(
        "create_provider",
        data=ProviderSerializer,
        body=NewProviderSerializer,
        status=201,
        errors=[400, 403, 409, 422],
        tag="providers",
    )
    def post(self, request: Request) -> Response:
        """Add a provider. Its key is stored sealed and never shown again."""
        given = self.fields(NewProviderSerializer)
        provider = actions.create_provider(
            tenant=self.user.tenant,
            ref=given["ref"],
            base_url=given["base_url"],
            api_key=given.get("api_key") or "",
            timeout_s=given.get("timeout_s", providers.TIMEOUT_S),
            actor=self.actor,
            at=timezone.now(),
        )
        return Response(ProviderSerializer(provider).data, 201)


class ProviderDetailView(ApiView):
    """One provider."""

    @in_api(
        "save_provider",
        data=ProviderSerializer,
        body=ProviderChangeSerializer,
        errors=[400, 403, 404, 422],
        tag="providers",
    )
    def put(self, request: Request, ref: str) -> Response:
        """Change a provider. A key that is left out stays; for another server it must be sent again."""
        given = self.fields(ProviderChangeSerializer)
        provider = self._find_provider(ref)
        if given.get("ref", ref) != ref:
            raise Invalid("The ref never changes.", [Problem("ref", f"Leave it out, or send {ref}.")])
        saved = actions.save_provider(
            provider,
            base_url=given.get("base_url", UNCHANGED),
            timeout_s=given.get("timeout_s", UNCHANGED),
            api_key=(given["api_key"] or "") if "api_key" in given else UNCHANGED,
            actor=self.actor,
            at=timezone.now(),
        )
        return Response(ProviderSerializer(saved).data)

    @in_api("delete_provider", status=204, errors=[403, 404, 409], tag="providers")
    def delete(self, request: Request, ref: str) -> Response:
        """Remove a provider; refused while a live Core calls it."""
        actions.delete_provider(self._find_provider(ref), actor=self.actor, at=timezone.now())
        return Response(status=204)

    def _find_provider(self, ref: str) -> ModelProvider:
        """The provider of the caller's tenant with this ref; another tenant's reads like none."""
        provider = ModelProvider.objects.filter(tenant=self.user.tenant_id, ref=ref).first()
        if provider is None:
            raise ProviderNotFound
        return provider

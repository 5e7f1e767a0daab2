"""`/api/v1/providers`: the servers whose language models the tenant's flows may name."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from identity.errors import Invalid, Problem
from publishing import actions, providers
from publishing.actions import UNCHANGED
from publishing.api.base import ApiView
from publishing.api.fields import OffsetPageSerializer
from publishing.api.openapi import in_api
from publishing.api.provider_serializers import (
    LIST,
    ListedModelsSerializer,
    NewProviderSerializer,
    ProviderChangeSerializer,
    ProviderSerializer,
    ProviderTestBodySerializer,
    ProviderTestSerializer,
)
from publishing.clients import provider_trials
from publishing.errors import ProviderNotFound
from publishing.models import ModelProvider


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
            options=given.get("options"),
            actor=self.actor,
            at=timezone.now(),
        )
        return Response(ProviderSerializer(provider).data, 201)


class ProviderView(ApiView):
    """A URL of one provider."""

    def find_provider(self, ref: str) -> ModelProvider:
        """The provider of the caller's tenant with this ref; another tenant's reads like none."""
        provider = ModelProvider.objects.filter(tenant=self.user.tenant_id, ref=ref).first()
        if provider is None:
            raise ProviderNotFound
        return provider


class ProviderDetailView(ProviderView):
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
        provider = self.find_provider(ref)
        if given.get("ref", ref) != ref:
            raise Invalid("The ref never changes.", [Problem("ref", f"Leave it out, or send {ref}.")])
        saved = actions.save_provider(
            provider,
            base_url=given.get("base_url", UNCHANGED),
            timeout_s=given.get("timeout_s", UNCHANGED),
            options=given.get("options", UNCHANGED),
            api_key=(given["api_key"] or "") if "api_key" in given else UNCHANGED,
            actor=self.actor,
            at=timezone.now(),
        )
        return Response(ProviderSerializer(saved).data)

    @in_api("delete_provider", status=204, errors=[403, 404, 409], tag="providers")
    def delete(self, request: Request, ref: str) -> Response:
        """Remove a provider; refused while a live Core calls it."""
        actions.delete_provider(self.find_provider(ref), actor=self.actor, at=timezone.now())
        return Response(status=204)


class ProviderTestView(ProviderView):
    """One provider, tried."""

    @in_api(
        "test_provider",
        data=ProviderTestSerializer,
        body=ProviderTestBodySerializer,
        errors=[400, 403, 404, 422],
        tag="providers",
    )
    def post(self, request: Request, ref: str) -> Response:
        """List the provider's models and have one of them answer; a server that does not is told of with 200, too."""
        given = self.fields(ProviderTestBodySerializer)
        found = actions.test_provider(self.find_provider(ref), model=given.get("model", ""), actor=self.actor)
        return Response(ProviderTestSerializer(found).data)


class ProviderModelsView(ApiView):
    """The models of one provider, the tenant's own or the operator's."""

    @in_api("list_provider_models", data=ListedModelsSerializer, errors=[403, 404], tag="providers")
    def get(self, request: Request, ref: str) -> Response:
        """Ask the provider's server which models it has; one that does not say is told of with 200, too."""
        self.actor.must_manage(self.user.tenant_id)
        provider = providers.ready_by_ref(self.user.tenant_id, ref)
        if provider is None:
            raise ProviderNotFound
        return Response(ListedModelsSerializer(provider_trials.list_models(provider)).data)

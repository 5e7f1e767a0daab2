"""`/api/v1/secrets`: values that the tenant's flows use by name and nobody reads again."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from publishing import actions
from publishing.api.base import ApiView
from publishing.api.fields import OffsetPageSerializer, PlainCharField
from publishing.api.openapi import counted_list, in_api
from publishing.errors import SecretNotFound
from publishing.models import Secret


class SecretValueSerializer(serializers.Serializer[Any]):
    """The text itself; it is never given back."""

    value = PlainCharField(max_length=4000, trim_whitespace=False)


class NewSecretSerializer(SecretValueSerializer):
    """A secret to add."""

    name = PlainCharField(max_length=100, help_text="What flows write in `secret_ref` and `secret_refs`.")


class SecretSerializer(serializers.Serializer[Secret]):
    """A secret without its value."""

    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class SecretListView(ApiView):
    """The tenant's secrets."""

    @in_api(
        "list_secrets",
        data=counted_list("Secrets", SecretSerializer),
        query=OffsetPageSerializer,
        errors=[422],
        tag="secrets",
    )
    def get(self, request: Request) -> Response:
        """List the names of the tenant's secrets."""
        own = Secret.objects.filter(tenant=self.user.tenant_id).order_by("name")
        return self.listed(own, lambda secret: SecretSerializer(secret).data)

    @in_api(
        "create_secret",
        data=SecretSerializer,
        body=NewSecretSerializer,
        status=201,
        errors=[400, 403, 409, 422],
        tag="secrets",
    )
    def post(self, request: Request) -> Response:
        """Add a secret. Its value is stored sealed and never shown again."""
        given = self.fields(NewSecretSerializer)
        secret = actions.create_secret(
            tenant=self.user.tenant, name=given["name"], value=given["value"], actor=self.actor, at=timezone.now()
        )
        return Response(SecretSerializer(secret).data, 201)


class SecretDetailView(ApiView):
    """One secret."""

    @in_api(
        "save_secret", data=SecretSerializer, body=SecretValueSerializer, errors=[400, 403, 404, 422], tag="secrets"
    )
    def put(self, request: Request, name: str) -> Response:
        """Give a secret another value; flows use it from the next call."""
        value = self.fields(SecretValueSerializer)["value"]
        saved = actions.save_secret(self._find_secret(name), value=value, actor=self.actor, at=timezone.now())
        return Response(SecretSerializer(saved).data)

    @in_api("delete_secret", status=204, errors=[403, 404, 409], tag="secrets")
    def delete(self, request: Request, name: str) -> Response:
        """Remove a secret; refused while a live Core uses it."""
        actions.delete_secret(self._find_secret(name), actor=self.actor, at=timezone.now())
        return Response(status=204)

    def _find_secret(self, name: str) -> Secret:
        """The secret of the caller's tenant with this name; another tenant's reads like none."""
        secret = Secret.objects.filter(tenant=self.user.tenant_id, name=name).first()
        if secret is None:
            raise SecretNotFound
        return secret

"""`/api/v1/keys`: the caller's own API keys, or any of the tenant for its admin."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from identity import keys
from identity.errors import Invalid, NotFound, Problem
from identity.models import ApiKey, User
from publishing import registry
from publishing.api.base import ApiView
from publishing.api.fields import OffsetPageSerializer, PlainCharField
from publishing.api.openapi import counted_list, in_api


class NewKeySerializer(serializers.Serializer[Any]):
    """A key to mint."""

    name = PlainCharField(max_length=200, help_text="Says where the key is used.")
    expires_at = serializers.DateTimeField(required=False, allow_null=True, help_text="Left out: it never expires.")
    user = PlainCharField(required=False, max_length=254, help_text="Id or e-mail address. Left out: the caller.")
    models = serializers.ListField(
        child=PlainCharField(max_length=keys.LONGEST_MODEL),
        required=False,
        allow_null=True,
        help_text="Published names: the key calls these alone, and opens the chat alone. Left out: no limit.",
    )


class KeySerializer(serializers.Serializer[ApiKey]):
    """A key without its secret."""

    id = serializers.CharField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How the secret begins.")
    user_id = serializers.CharField()
    user = serializers.CharField(source="user.email")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    models = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="What it is limited to; null: no limit."
    )


class MintedKeySerializer(KeySerializer):
    """A new key; this is the only answer that shows its secret."""

    key = serializers.CharField()


class KeyListView(ApiView):
    """The keys that the caller may see."""

    @in_api("list_keys", data=counted_list("Keys", KeySerializer), query=OffsetPageSerializer, errors=[422], tag="keys")
    def get(self, request: Request) -> Response:
        """List the keys, the newest first, revoked ones included."""
        mine = Q(user=self.user.pk) | Q(user__tenant__in=self.actor.tenants or ())
        return self.listed(_keys_of_tenant(self.user).filter(mine), lambda key: KeySerializer(key).data)

    @in_api("mint_key", data=MintedKeySerializer, body=NewKeySerializer, status=201, errors=[400, 403, 422], tag="keys")
    def post(self, request: Request) -> Response:
        """Mint a key. Its secret is in this answer and nowhere else."""
        given = self.fields(NewKeySerializer)
        owner, models = self._find_owner(given.get("user")), given.get("models")
        _must_be_callable(owner, models or [])
        key, secret = keys.mint(
            user=owner,
            name=given["name"],
            expires_at=given.get("expires_at"),
            models=models,
            actor=self.actor,
            at=timezone.now(),
        )
        return Response({**KeySerializer(key).data, "key": secret}, 201)

    def _find_owner(self, named: str | None) -> User:
        """The user who will own the key. Only an admin may name others, so nobody else learns who exists."""
        if named is None or named == self.user.pk or named.lower() == self.user.email:
            return self.user
        self.actor.must_manage(self.user.tenant_id)
        found = User.objects.filter(Q(pk=named) | Q(email=named.lower()), tenant=self.user.tenant_id).first()
        if found is None:
            raise Invalid("The user does not exist.", [Problem("user", "Send the id or e-mail address of a user.")])
        return found


class KeyDetailView(ApiView):
    """One key."""

    @in_api("revoke_key", status=204, errors=[403, 404], tag="keys")
    def delete(self, request: Request, key_id: str) -> Response:
        """Revoke a key, now and for good. It stays in the list."""
        key = _keys_of_tenant(self.user).filter(pk=key_id).first()
        if key is None:
            raise NotFound("The key does not exist.")
        keys.revoke(key, actor=self.actor, at=timezone.now())
        return Response(status=204)


def _must_be_callable(owner: User, models: list[str]) -> None:
    """Refuse a name that the owner may not call, so that a typing mistake is found now and not by a client later."""
    unusable = set(registry.uncallable(owner, models))
    advice = "The key's user may not call a model of this name."
    problems = [Problem(f"models.{index}", advice) for index, name in enumerate(models) if name in unusable]
    if problems:
        raise Invalid("The key would not open every model that it names.", problems)


def _keys_of_tenant(user: User) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(user__tenant=user.tenant_id).select_related("user").order_by("-created_at", "pk")

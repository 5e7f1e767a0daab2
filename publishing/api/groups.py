"""`/api/v1/groups`: the tenant's ScaiKey groups, for its admins, since they say who may call what."""

from __future__ import annotations

from django.db.models import Count, QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from identity import groups
from identity.errors import NotFound
from identity.models import Group
from publishing.api.base import ApiView
from publishing.api.fields import OffsetPageSerializer
from publishing.api.openapi import counted_list, in_api


class GroupSerializer(serializers.Serializer[Group]):
    """A group with the number of its direct members."""

    id = serializers.CharField(source="scaikey_id")
    name = serializers.CharField()
    user_count = serializers.IntegerField()
    group_count = serializers.IntegerField(help_text="Groups nested directly in this one.")
    publication_count = serializers.IntegerField(help_text="Publications that list this group.")
    created_at = serializers.DateTimeField()


class GroupListView(ApiView):
    """The tenant's groups."""

    @in_api(
        "list_groups",
        data=counted_list("Groups", GroupSerializer),
        query=OffsetPageSerializer,
        errors=[403, 422],
        tag="groups",
    )
    def get(self, request: Request) -> Response:
        """List the groups of the tenant by id."""
        self.actor.must_manage(self.user.tenant_id)
        return self.listed(_with_counts(self.user.tenant_id), lambda group: GroupSerializer(group).data)


class GroupDetailView(ApiView):
    """One group."""

    @in_api("delete_group", status=204, errors=[403, 404], tag="groups")
    def delete(self, request: Request, group_id: str) -> Response:
        """Delete a group. That never opens a publication that listed it: at worst nobody may call it any more."""
        self.actor.must_manage(self.user.tenant_id)
        group = Group.objects.filter(tenant=self.user.tenant_id, scaikey_id=group_id).first()
        if group is None:
            raise NotFound("The group does not exist.")
        groups.delete_group(group, actor=self.actor, at=timezone.now())
        return Response(status=204)


def _with_counts(tenant: str) -> QuerySet[Group]:
    return Group.objects.filter(tenant=tenant).annotate(
        user_count=Count("memberships", distinct=True),
        group_count=Count("children", distinct=True),
        publication_count=Count("grants", distinct=True),
    )

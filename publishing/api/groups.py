"""`/api/v1/groups`: the tenant's ScaiKey groups, for its admins, since they say who may call what."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from identity import groups
from identity.errors import NotFound
from identity.models import Group, User
from publishing.api.base import ApiView
from publishing.api.fields import OffsetPageSerializer, PlainCharField
from publishing.api.openapi import counted_list, in_api


class GroupSerializer(serializers.Serializer[Group]):
    """A group with the number of its direct members."""

    id = serializers.CharField(source="scaikey_id")
    name = serializers.CharField()
    user_count = serializers.IntegerField()
    group_count = serializers.IntegerField(help_text="Groups nested directly in this one.")
    publication_count = serializers.IntegerField(help_text="Publications that list this group.")
    created_at = serializers.DateTimeField()


class NewGroupSerializer(serializers.Serializer[Any]):
    """A group to make."""

    id = PlainCharField(max_length=128, help_text="Letters, digits and _ . : @ - only; it never changes.")
    name = PlainCharField(max_length=200, allow_blank=True, default="")


class GroupNameSerializer(serializers.Serializer[Any]):
    """What can be changed of a group."""

    name = PlainCharField(max_length=200, allow_blank=True)


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

    @in_api(
        "create_group", data=GroupSerializer, body=NewGroupSerializer, status=201, errors=[400, 403, 422], tag="groups"
    )
    def post(self, request: Request) -> Response:
        """Make a group without members."""
        self.actor.must_manage(self.user.tenant_id)
        given = self.fields(NewGroupSerializer)
        group = Group(tenant=self.user.tenant, scaikey_id=given["id"], name=given["name"])
        groups.save_group(group, actor=self.actor, at=timezone.now())
        return Response(_shown(group), 201)


class GroupDetailView(ApiView):
    """One group."""

    @in_api("read_group", data=GroupSerializer, errors=[403, 404], tag="groups")
    def get(self, request: Request, group_id: str) -> Response:
        """One group, with what is directly in it and what lists it."""
        self.actor.must_manage(self.user.tenant_id)
        return Response(_shown(find_group(self.user, group_id)))

    @in_api("rename_group", data=GroupSerializer, body=GroupNameSerializer, errors=[400, 403, 404, 422], tag="groups")
    def patch(self, request: Request, group_id: str) -> Response:
        """Rename a group. Its id never changes."""
        self.actor.must_manage(self.user.tenant_id)
        given, group = self.fields(GroupNameSerializer), find_group(self.user, group_id)
        group.name = given["name"]
        groups.save_group(group, actor=self.actor, at=timezone.now())
        return Response(_shown(group))

    @in_api("delete_group", status=204, errors=[403, 404], tag="groups")
    def delete(self, request: Request, group_id: str) -> Response:
        """Delete a group. That never opens a publication that listed it: at worst nobody may call it any more."""
        self.actor.must_manage(self.user.tenant_id)
        groups.delete_group(find_group(self.user, group_id), actor=self.actor, at=timezone.now())
        return Response(status=204)


def find_group(user: User, group_id: str) -> Group:
    """The group of the user's tenant with this id; another tenant's reads like none."""
    group = Group.objects.filter(tenant=user.tenant_id, scaikey_id=group_id).first()
    if group is None:
        raise NotFound("The group does not exist.")
    return group


def _shown(group: Group) -> Any:
    return GroupSerializer(_with_counts(group.tenant_id).get(pk=group.pk)).data


def _with_counts(tenant: str) -> QuerySet[Group]:
    return Group.objects.filter(tenant=tenant).annotate(
        user_count=Count("memberships", distinct=True),
        group_count=Count("children", distinct=True),
        publication_count=Count("grants", distinct=True),
    )

"""`/api/v1/groups/{id}/members`: who is in a group, by which way, and the changes of who is directly in it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField

from identity import groups
from identity.models import Group, User
from publishing.api.base import ApiView
from publishing.api.fields import CursorField
from publishing.api.groups import find_group
from publishing.api.openapi import in_api, items
from publishing.api.people.serializers import (
    MemberSerializer,
    MembersSerializer,
    NestedGroupSerializer,
    UserPageSerializer,
)

TAG = "groups"
MEMBERS = items(
    "GroupMembers", MemberSerializer, groups=NestedGroupSerializer(many=True), next_cursor=CharField(allow_null=True)
)


class GroupMemberView(ApiView):
    """A URL of the members of one group."""

    def find_group(self, group_id: str) -> Group:
        """The group, for an admin of its tenant."""
        self.actor.must_manage(self.user.tenant_id)
        return find_group(self.user, group_id)


class GroupMemberListView(GroupMemberView):
    """The members of one group."""

    @in_api("list_members", data=MEMBERS, query=UserPageSerializer, errors=[403, 404, 422], tag=TAG)
    def get(self, request: Request, group_id: str) -> Response:
        """List who is in the group, directly or through nested groups, by e-mail address, and the groups inside it."""
        group = self.find_group(group_id)
        return Response(_show_members(group, **self.query(UserPageSerializer)))

    @in_api("set_members", data=MEMBERS, body=MembersSerializer, errors=[400, 403, 404, 409, 422], tag=TAG)
    def put(self, request: Request, group_id: str) -> Response:
        """Make the direct members exactly these."""
        group = self.find_group(group_id)
        users, nested = groups.find_members(group.tenant_id, self.fields(MembersSerializer)["members"])
        groups.set_members(group, users=users, groups=nested, actor=self.actor, at=timezone.now())
        return Response(_show_members(group))

    @in_api("add_members", data=MEMBERS, body=MembersSerializer, errors=[400, 403, 404, 409, 422], tag=TAG)
    def post(self, request: Request, group_id: str) -> Response:
        """Add these to the direct members."""
        group = self.find_group(group_id)
        users, nested = groups.find_members(group.tenant_id, self.fields(MembersSerializer)["members"])
        groups.add_members(group, users=users, groups=nested, actor=self.actor, at=timezone.now())
        return Response(_show_members(group))


class GroupMemberDetailView(GroupMemberView):
    """One direct member of a group."""

    @in_api("remove_member", status=204, errors=[403, 404, 422], tag=TAG)
    def delete(self, request: Request, group_id: str, member: str) -> Response:
        """Take a user, or `group:` and the id of a group, from the direct members. Who was none is left so."""
        group = self.find_group(group_id)
        users, nested = groups.find_members(group.tenant_id, [member])
        groups.remove_members(group, users=users, groups=nested, actor=self.actor, at=timezone.now())
        return Response(status=204)


def _show_members(group: Group, limit: int = 50, cursor: str = "") -> dict[str, Any]:
    """A page of the members with the way to each, and every nested group."""
    nested = groups.groups_inside(group)
    found = list(groups.everyone_in([group.pk, *nested]).filter(email__gt=cursor)[: limit + 1])
    chains = groups.chains_to(group, nested, found)
    following = CursorField.at(found[limit - 1].email) if len(found) > limit else None
    return {
        "items": [_show_member(user, chains[user.pk]) for user in found[:limit] if user.pk in chains],
        "groups": [_show_nested(chain) for _, chain in sorted(nested.items(), key=lambda one: str(one[1][-1]))],
        "next_cursor": following,
    }


def _show_member(user: User, chain: list[Group]) -> dict[str, Any]:
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name,
        "active": user.is_active,
        "direct": not chain,
        "path": [group.scaikey_id for group in chain],
    }


def _show_nested(chain: list[Group]) -> dict[str, Any]:
    group = chain[-1]
    path = [step.scaikey_id for step in chain[:-1]]
    return {"id": group.scaikey_id, "name": group.name, "direct": not path, "path": path}

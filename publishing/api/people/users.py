"""`/api/v1/users`: the people of the tenant, and what each of them may call, for its admins."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from identity import users
from identity.errors import Invalid, NotFound, Problem
from identity.models import Group, User
from identity.sign_in import invitations
from publishing import group_paths, registry
from publishing.api.base import ApiView
from publishing.api.openapi import cursor_list, in_api
from publishing.api.people.serializers import (
    CallableModelSerializer,
    InvitationSerializer,
    NewInvitationSerializer,
    NewUserSerializer,
    UserChangeSerializer,
    UserPageSerializer,
    UserSearchSerializer,
    UserSerializer,
)
from publishing.models import Publication

TAG = "users"
FIELDS = {"name": "name", "role": "role", "active": "is_active"}


class UserListView(ApiView):
    """The people of the tenant."""

    @in_api(
        "list_users",
        data=cursor_list("Users", UserSerializer),
        query=UserSearchSerializer,
        errors=[403, 422],
        tag=TAG,
    )
    def get(self, request: Request) -> Response:
        """List the people of the tenant by e-mail address."""
        self.actor.must_manage(self.user.tenant_id)
        asked = self.query(UserSearchSerializer)
        return self.paged(
            _search(self.user.tenant_id, asked),
            asked["limit"],
            show=lambda user: UserSerializer(user).data,
            key=lambda user: user.email,
        )

    @in_api(
        "create_user", data=UserSerializer, body=NewUserSerializer, status=201, errors=[400, 403, 409, 422], tag=TAG
    )
    def post(self, request: Request) -> Response:
        """Add a person without a password: they call by key until a password is set."""
        self.actor.must_manage(self.user.tenant_id)
        given = self.fields(NewUserSerializer)
        user = User(tenant=self.user.tenant, email=given["email"], name=given["name"], role=given["role"])
        users.save_user(user, actor=self.actor, at=timezone.now())
        return Response(UserSerializer(user).data, 201)


class UserView(ApiView):
    """A URL of one person."""

    def find_user(self, user_id: str) -> User:
        """The person of the caller's tenant with this id; another tenant's reads like none."""
        self.actor.must_manage(self.user.tenant_id)
        user = User.objects.filter(tenant=self.user.tenant_id, pk=user_id).first()
        if user is None:
            raise NotFound("The user does not exist.")
        return user


class UserDetailView(UserView):
    """One person."""

    @in_api("read_user", data=UserSerializer, errors=[403, 404], tag=TAG)
    def get(self, request: Request, user_id: str) -> Response:
        """One person."""
        return Response(UserSerializer(self.find_user(user_id)).data)

    @in_api("change_user", data=UserSerializer, body=UserChangeSerializer, errors=[400, 403, 404, 409, 422], tag=TAG)
    def patch(self, request: Request, user_id: str) -> Response:
        """Change name or role, or switch a person off or on. The last active admin of the tenant stays one."""
        user, given = self.find_user(user_id), self.fields(UserChangeSerializer)
        changes = {FIELDS[name]: value for name, value in given.items()}
        changed = users.change_user(user, changes, actor=self.actor, at=timezone.now())
        return Response(UserSerializer(changed).data)

    @in_api("delete_user", status=204, errors=[403, 404, 409, 422], tag=TAG)
    def delete(self, request: Request, user_id: str) -> Response:
        """Delete a person with their keys, memberships and memories. Nobody deletes themselves."""
        users.delete_user(self.find_user(user_id), actor=self.actor, at=timezone.now())
        return Response(status=204)


class UserInvitationView(UserView):
    """The link with which one person sets a password."""

    @in_api(
        "invite_user",
        data=InvitationSerializer,
        body=NewInvitationSerializer,
        status=201,
        errors=[400, 403, 404, 409, 422],
        tag=TAG,
    )
    def post(self, request: Request, user_id: str) -> Response:
        """Make a link with which the person sets a password: once, within seven days. A new one ends those before."""
        user, at = self.find_user(user_id), timezone.now()
        is_mailed = self.fields(NewInvitationSerializer)["mail"]
        if is_mailed and not settings.CAN_SEND_MAIL:
            raise Invalid("No mail can be sent.", [Problem("mail", "The operator has not set up mail: leave it out.")])
        url = invitations.invite(user, actor=self.actor, at=at)
        sent = invitations.mail(user, url, actor=self.actor) if is_mailed else False
        return Response({"url": url, "expires_at": at + invitations.LIFE, "mailed": sent}, 201)


class UserModelListView(UserView):
    """What one person may call."""

    @in_api(
        "list_models_of_user",
        data=cursor_list("ModelsOfUser", CallableModelSerializer),
        query=UserPageSerializer,
        errors=[403, 404, 422],
        tag=TAG,
    )
    def get(self, request: Request, user_id: str) -> Response:
        """List the models that a person may call at this moment, and why: by name."""
        user, asked = self.find_user(user_id), self.query(UserPageSerializer)
        allowed = registry.callable_by(user).filter(name__gt=asked.get("cursor", "")).order_by("name")
        found = list(allowed[: asked["limit"] + 1])
        paths = group_paths.paths_of(user, found)
        return self.paged(
            found,
            asked["limit"],
            show=lambda one: _show_model(one, paths.get(one.pk, [])),
            key=lambda one: one.name,
        )


def _search(tenant_id: str, asked: dict[str, Any]) -> QuerySet[User]:
    found = User.objects.filter(tenant=tenant_id, email__gt=asked.get("cursor", "")).order_by("email")
    if asked.get("search"):
        found = found.filter(Q(email__icontains=asked["search"]) | Q(name__icontains=asked["search"]))
    exact = {FIELDS[name]: asked[name] for name in ("role", "active") if asked.get(name) is not None}
    return found.filter(**exact)


def _show_model(publication: Publication, path: list[Group]) -> dict[str, Any]:
    """A model with the way from the person's own group to the one that the model lists."""
    return {
        "model": publication.name,
        "core_id": publication.pk,
        "visibility": publication.visibility,
        "path": [group.scaikey_id for group in reversed(path)] if publication.visibility == "groups" else [],
    }

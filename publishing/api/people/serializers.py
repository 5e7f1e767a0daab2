"""What the URLs of people, members and the audit log take and give."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from identity.models import AuditEntry, Role, User
from publishing.api.fields import CursorPageSerializer, NameCursorField, PlainCharField

MOST_MEMBERS = 1000


class UserSerializer(serializers.Serializer[User]):
    """A person or service account of the tenant."""

    id = serializers.CharField()
    email = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField(help_text="`tenant_admin`, `tenant_user` or `tenant_viewer`")
    active = serializers.BooleanField(source="is_active")
    created_at = serializers.DateTimeField()
    last_login = serializers.DateTimeField(allow_null=True)


class UserPageSerializer(CursorPageSerializer):
    """Which page of a list by name."""

    cursor = NameCursorField(required=False)


class UserSearchSerializer(UserPageSerializer):
    """Which people, and which page of them."""

    search = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="A part of the e-mail address or the name."
    )
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    active = serializers.BooleanField(required=False, allow_null=True, default=None)


class StrictBooleanField(serializers.BooleanField):
    """JSON's `true` or `false`; DRF's own field would take `"yes"` and `1` for one."""

    def to_internal_value(self, data: Any) -> bool:
        """The value as it was sent."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class NewUserSerializer(serializers.Serializer[Any]):
    """A person to add."""

    email = PlainCharField(max_length=254)
    name = PlainCharField(max_length=200, allow_blank=True, default="")
    role = serializers.ChoiceField(choices=Role.choices, default=Role.USER)


class UserChangeSerializer(serializers.Serializer[Any]):
    """What can be changed of a person; what is left out stays."""

    name = PlainCharField(max_length=200, allow_blank=True, required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    active = StrictBooleanField(required=False)


class NewInvitationSerializer(serializers.Serializer[Any]):
    """A link to make."""

    mail = StrictBooleanField(
        default=False, help_text="Also send it to the person, where the operator has set up mail."
    )


class InvitationSerializer(serializers.Serializer[Any]):
    """A link with which a person sets a password. Whoever has it can sign in as that person."""

    url = serializers.CharField()
    expires_at = serializers.DateTimeField()
    mailed = serializers.BooleanField(help_text="Whether the mail server took it.")


class CallableModelSerializer(serializers.Serializer[Any]):
    """A model that a person may call, and why."""

    model = serializers.CharField()
    core_id = serializers.CharField()
    visibility = serializers.CharField(help_text="`tenant`: open to everyone in it; `groups`: `path` says by which.")
    path = serializers.ListField(
        child=serializers.CharField(), help_text="From a group of the person's own to the one that the model lists."
    )


class MembersSerializer(serializers.Serializer[Any]):
    """Members as `apply` writes them: e-mail addresses or ids of users; `group:` and the id of a group."""

    members = serializers.ListField(child=PlainCharField(max_length=320), max_length=MOST_MEMBERS)


class NestedGroupSerializer(serializers.Serializer[Any]):
    """A group inside another one."""

    id = serializers.CharField()
    name = serializers.CharField()
    direct = serializers.BooleanField()
    path = serializers.ListField(child=serializers.CharField(), help_text="The groups in between, the nearest first.")


class MemberSerializer(serializers.Serializer[Any]):
    """Somebody who is in a group."""

    id = serializers.CharField()
    email = serializers.CharField()
    name = serializers.CharField()
    active = serializers.BooleanField()
    direct = serializers.BooleanField(help_text="Whether the group itself holds the person.")
    path = serializers.ListField(
        child=serializers.CharField(),
        help_text="The nested groups that lead to the person, the nearest first; empty when `direct`.",
    )


class AuditFilterSerializer(serializers.Serializer[Any]):
    """Which entries."""

    person = serializers.CharField(required=False, max_length=254, help_text="Id or e-mail address: by or about them.")
    action = serializers.CharField(required=False, max_length=60, help_text="Such as `user.saved`, or `user.`.")
    target = serializers.CharField(required=False, max_length=300, help_text="The id of what was changed.")
    model = serializers.CharField(required=False, max_length=200, help_text="A model's name, such as it is or was.")
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False, help_text="Entries before this moment.")


class AuditSearchSerializer(AuditFilterSerializer, CursorPageSerializer):
    """Which entries, and which page of them."""


@extend_schema_field({"type": ["object", "null"], "additionalProperties": True})
class FactsField(serializers.JSONField):
    """What something was, or is."""


class AuditEntrySerializer(serializers.Serializer[AuditEntry]):
    """What somebody changed."""

    id = serializers.CharField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    actor_id = serializers.CharField(allow_blank=True)
    door = serializers.CharField(help_text="`api`, `page`, `admin`, `command`, or empty.")
    request_id = serializers.CharField(allow_blank=True, help_text="The `x-request-id` of the answer.")
    address = serializers.CharField(allow_blank=True, help_text="Where the request came from.")
    action = serializers.CharField()
    target = serializers.CharField()
    before = FactsField(allow_null=True)
    after = FactsField(allow_null=True)

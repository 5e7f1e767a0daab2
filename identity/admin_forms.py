"""The forms that staff fill in about tenants, users and groups."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin

from identity.admin_base import ActedForm
from identity.admin_fields import NarrowedSelectMultiple
from identity.models import Group, Nesting, Tenant, User


class TenantForm(ActedForm):
    """A tenant's name and switch."""

    class Meta:
        model = Tenant
        fields = ("slug", "name", "is_active")


class UserForm(ActedForm):
    """A user; the password is only ever written, never shown."""

    renamed = {"password": "new_password"}

    new_password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Empty: the password stays as it is. A user without one calls by key alone.",
    )

    class Meta:
        model = User
        fields = ("tenant", "email", "name", "role", "is_active", "is_staff", "is_superuser")

    def clean_email(self) -> str:
        """The address as it is stored."""
        return str(self.cleaned_data["email"]).lower()


class GroupForm(ActedForm):
    """A group and its direct members."""

    users = forms.ModelMultipleChoiceField(
        User.objects.none(),
        required=False,
        widget=NarrowedSelectMultiple(Group._meta.get_field("users"), admin.site),
    )
    groups = forms.ModelMultipleChoiceField(
        Group.objects.none(),
        required=False,
        label="Nested groups",
        widget=NarrowedSelectMultiple(Nesting._meta.get_field("child"), admin.site),
        help_text="Everyone in a nested group is in this group too, through any number of levels.",
    )

    class Meta:
        model = Group
        fields = ("tenant", "scaikey_id", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["users"] = list(self.instance.memberships.values_list("user", flat=True))
            self.initial["groups"] = list(self.instance.children.values_list("child", flat=True))

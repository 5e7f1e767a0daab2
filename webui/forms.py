"""The forms of the web pages. They keep what was typed and say beside each field what is wrong with it."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.core.exceptions import ValidationError
from django.http import QueryDict

import scaicore
from identity.errors import Invalid
from identity.models import Group, Tenant
from publishing import documents
from publishing.models import Flow, FlowVersion


class SignInForm(AuthenticationForm):
    """E-mail address and password; whose account is active is for `identity.backend` to say."""

    username = UsernameField(
        label="E-mail address", widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"})
    )
    error_messages = {
        "invalid_login": "No active account has this e-mail address and password. Check both and try again.",
    }


class PlainText(forms.CharField):
    """Text with the line ends that the database keeps; browsers send others."""

    def to_python(self, value: Any) -> str:
        """The text with `\\n` between lines."""
        return str(super().to_python(value)).replace("\r\n", "\n").replace("\r", "\n")


class GroupIdsField(forms.CharField):
    """Group ids with commas or spaces between them; the value is a list without repetitions."""

    def prepare_value(self, value: Any) -> Any:
        """The ids as one line of text."""
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The ids in the order in which they were typed."""
        text = self.prepare_value(value) or ""
        if "\0" in text:
            raise ValidationError("A group id holds a character that cannot be stored.", code="nul")
        return list(dict.fromkeys(part for part in re.split(r"[,;\s]+", text) if part))


NO_NAME = {"required": "Give the flow a name."}


class NewFlowForm(forms.Form):
    """A name is enough to begin."""

    name = forms.CharField(
        max_length=200,
        error_messages=NO_NAME,
        help_text="For example: Hello World Echo Agent. It can be changed later.",
    )
    description = PlainText(required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}))


class PropertiesForm(forms.Form):
    """Flow properties. Each field carries beside it what was saved when the page was made, so that `changed_data`
    names what this person changed, whatever others saved meanwhile."""

    base_version = forms.CharField(widget=forms.HiddenInput)
    name = forms.CharField(max_length=200, error_messages=NO_NAME, show_hidden_initial=True)
    description = PlainText(
        required=False, max_length=5000, show_hidden_initial=True, widget=forms.Textarea(attrs={"rows": 3})
    )
    publish = forms.BooleanField(required=False, label="Publish as chat model", show_hidden_initial=True)
    groups = GroupIdsField(
        required=False,
        max_length=20_000,
        show_hidden_initial=True,
        label="Visibility group IDs (comma-separated)",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )

    instance_mode = forms.ChoiceField(
        choices=[
            ("stateless", "Stateless: every call stands alone"),
            ("entity", "Entity: one memory for each entity_id"),
            ("singleton", "Singleton: one memory for all calls"),
        ],
        show_hidden_initial=True,
    )
    entity_scope = forms.ChoiceField(
        choices=[("user", "Each user has entities of their own"), ("tenant", "The tenant shares its entities")],
        show_hidden_initial=True,
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = tenant
        self.fields["groups"].help_text = f"Empty: everyone in {tenant.name or tenant} may call it."

    @property
    def edits(self) -> list[str]:
        """The properties that this person changed."""
        return [name for name in PROPERTIES if name in self.changed_data]

    def clean(self) -> dict[str, Any]:
        """Refuse groups that do not exist, if this save would publish to them."""
        data = self.cleaned_data
        if data.get("publish") and {"publish", "groups"} & set(self.edits):
            unknown = unknown_groups(self.tenant, data.get("groups", []))
            if unknown:
                self.add_error("groups", told_unknown(unknown))
        return data

    def refuse(self, refusal: Invalid) -> None:
        """Show what an action refused beside the fields that it is about."""
        mine = {"group_ids": "groups", "name": "name"}
        for problem in refusal.problems:
            self.add_error(mine.get(problem.field.partition("[")[0]), problem.message)

    def rebased(self, saved: dict[str, Any]) -> PropertiesForm:
        """The same changes on top of what somebody else has saved: fields left alone here take the other's values."""
        data = self.data.copy() if isinstance(self.data, QueryDict) else QueryDict(mutable=True)
        for name in PROPERTIES:
            field, value = self.fields[name], saved[name]
            data[f"initial-{name}"] = str(field.prepare_value(value))
            if name in self.edits:
                continue
            if value is False:
                data.pop(name, None)
            else:
                data[name] = "on" if value is True else str(field.prepare_value(value))
        return PropertiesForm(data, tenant=self.tenant)

    def was_shown(self, name: str, value: Any) -> bool:
        """Whether the page showed `value` as the saved one."""
        field = self.fields[name]
        return bool(field.to_python(self.data.get(f"initial-{name}")) == field.to_python(value))

    def content_changes(self) -> dict[str, Any]:
        """The changed properties that belong to the document, as `scaicore.with_properties` names them."""
        return {place: self.cleaned_data[name] for name, place in IN_DOCUMENT.items() if name in self.edits}


# field → the property of the document that it sets
IN_DOCUMENT = {
    "publish": "publish_as_model",
    "groups": "group_ids",
    "instance_mode": "instance_mode",
    "entity_scope": "entity_scope",
}
PROPERTIES = ("name", "description", *IN_DOCUMENT)


def saved_values(flow: Flow, saved: FlowVersion) -> dict[str, Any]:
    """What is saved, field by field."""
    given = documents.config(saved.content).get("model_visibility_group_ids", [])
    properties = scaicore.properties(saved.content)
    is_readable = isinstance(given, list) and all(isinstance(name, str) for name in given)
    return {
        "base_version": saved.version,
        "name": flow.name,
        "description": flow.description,
        "publish": properties.publish_as_model,
        # What no list of ids is shows as it stands: the admin must see what a deploy will refuse.
        "groups": given if is_readable else [json.dumps(given)],
        "instance_mode": properties.instance_mode,
        "entity_scope": properties.entity_scope,
    }


def unknown_groups(tenant: Tenant, names: list[str]) -> list[str]:
    """Those of `names` that are no group of the tenant."""
    known = set(Group.objects.filter(tenant=tenant, scaikey_id__in=names).values_list("scaikey_id", flat=True))
    return [name for name in names if name not in known]


def told_unknown(names: list[str]) -> str:
    """A sentence about groups that do not exist."""
    if len(names) == 1:
        return f"The group {names[0]} does not exist."
    return f"These groups do not exist: {', '.join(names)}."

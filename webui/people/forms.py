"""What a tenant admin changes of a person or a group, and what the audit log is searched by."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings

from identity.errors import ActionRefused, Invalid
from identity.models import Role

MOST_MEMBERS: Final = 500
_SEPARATORS: Final = re.compile(r"[,;\s]+")


class PersonForm(forms.Form):
    """Name, role, and whether the person may sign in and call."""

    name = forms.CharField(required=False, max_length=200)
    role = forms.ChoiceField(choices=Role.choices, help_text="No role decides which models the person may call.")
    is_active = forms.BooleanField(
        required=False, label="Active", help_text="Off: no sign-in, and every key answers 401 from the next request."
    )


class RefusedForm(forms.Form):
    """A form that shows what an action refused at the field that it is about, or above all of them."""

    # What an action calls a field → what the form calls it.
    renamed: Final[dict[str, str]] = {"scaikey_id": "group_id"}

    def refuse(self, refusal: ActionRefused) -> None:
        """Show the refusal; the page is given back with what was typed."""
        if not isinstance(refusal, Invalid):
            self.add_error(None, str(refusal))
            return
        for problem in refusal.problems:
            field = self.renamed.get(problem.field, problem.field).partition(".")[0]
            self.add_error(field if field in self.fields else None, problem.message)


class NewPersonForm(RefusedForm):
    """A person to invite."""

    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput({"autocomplete": "off"}))
    name = forms.CharField(required=False, max_length=200)
    role = forms.ChoiceField(
        choices=Role.choices, initial=Role.USER, help_text="No role decides which models the person may call."
    )
    is_mailed = forms.BooleanField(required=False, initial=True, label="Send the link by mail")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if not settings.CAN_SEND_MAIL:
            self.fields["is_mailed"].widget = forms.HiddenInput()
            self.fields["is_mailed"].initial = False


class NewGroupForm(RefusedForm):
    """A group to make."""

    group_id = forms.CharField(
        max_length=128,
        label="Id",
        help_text="Letters, digits and _ . : @ - only. Flows name the group by it; it never changes.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": "Give the group an id, for example: group_sales."},
    )
    name = forms.CharField(required=False, max_length=200, help_text="What people call it.")


class GroupNameForm(RefusedForm):
    """What can be changed of a group itself."""

    name = forms.CharField(required=False, max_length=200, help_text="The id stays: flows name the group by it.")


class MembersForm(RefusedForm):
    """Members to add: e-mail addresses, and `group:` with the id of a group."""

    members = forms.CharField(
        label="Add members",
        max_length=100_000,
        help_text="E-mail addresses, and group: with an id for a nested group, with commas or line ends between them.",
        widget=forms.Textarea(attrs={"rows": 2, "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": "Name at least one person or group."},
    )

    def clean_members(self) -> list[str]:
        """The names, each once, as `groups.find_members` takes them."""
        names: list[Any] = list(dict.fromkeys(filter(None, _SEPARATORS.split(self.cleaned_data["members"]))))
        if len(names) > MOST_MEMBERS:
            raise forms.ValidationError(f"Add at most {MOST_MEMBERS} at once.")
        return names


def _day(**kwargs: Any) -> forms.DateField:
    return forms.DateField(required=False, widget=forms.DateInput({"type": "date"}), **kwargs)


class AuditSearchForm(forms.Form):
    """All fields may be left out: then every entry is listed."""

    model = forms.CharField(
        required=False, max_length=200, help_text="A model’s name or slug, as it is or was.", label="Model"
    )
    person = forms.CharField(required=False, max_length=254, help_text="An e-mail address: by or about them.")
    action = forms.CharField(required=False, max_length=60, help_text="Its beginning, such as user. or core.published.")
    target = forms.CharField(required=False, max_length=300, label="Id", help_text="Of a group, flow, key or person.")
    since = _day(label="From")
    until = _day(label="To", help_text="The day is included. Days are those of UTC.")

    def conditions(self) -> dict[str, Any]:
        """What is searched for, in the words of `publishing.audit_log.search`; an unusable field asks for nothing."""
        self.is_valid()
        asked = {name: value for name, value in self.cleaned_data.items() if value}
        moments = {name: _midnight(asked[name], days) for name, days in (("since", 0), ("until", 1)) if name in asked}
        return asked | moments


def _midnight(day: date, days: int) -> datetime:
    """When the day begins that comes `days` after `day`; the last of all days has none after it."""
    return datetime.combine(day + timedelta(days=days) if day < date.max else day, time(), tzinfo=UTC)

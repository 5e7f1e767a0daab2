"""The forms that staff fill in about Cores and publications."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.utils.dateformat import format as date_format

from identity.admin_base import ActedForm
from identity.models import Group
from publishing.actions import UNCHANGED, Unchanged
from publishing.models import Core, CoreVersion, Publication, Visibility


class VersionField(forms.ModelChoiceField[CoreVersion]):
    """A choice among a Core's versions, told by number, source, day and author."""

    def label_from_instance(self, obj: CoreVersion) -> str:
        """`3 (flow version 1.0.2, 2026-11-24, root@acme.test)`."""
        source = f"flow version {obj.flow_version}, " if obj.flow_version else ""
        return f"{obj.number} ({source}{date_format(obj.created_at, 'Y-m-d')}, {obj.created_by})"


class CoreForm(ActedForm):
    """A Core's live version."""

    renamed = {"version": "live"}

    live = VersionField(
        CoreVersion.objects.none(),
        label="Live version",
        help_text="Another version answers the next call. Nothing is lost: every version stays.",
    )

    class Meta:
        model = Core
        fields = ("live",)


class PublicationForm(ActedForm):
    """Who may call a published model."""

    renamed = {"group_ids": "allowed_groups"}

    visibility = forms.ChoiceField(choices=Visibility.choices, widget=forms.RadioSelect)
    allowed_groups = forms.ModelMultipleChoiceField(
        Group.objects.none(),
        required=False,
        widget=AutocompleteSelectMultiple(Publication._meta.get_field("groups"), admin.site),
        help_text="Members of at least one of these, directly or through nested groups, may call the model.",
    )

    class Meta:
        model = Publication
        fields = ("visibility",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["allowed_groups"] = list(self.instance.grants.values_list("group", flat=True))

    def clean(self) -> dict[str, Any] | None:
        """The switch and the list must say the same, so that nobody opens a model by emptying a list."""
        cleaned = super().clean()
        groups = self.cleaned_data.get("allowed_groups")
        if not self.has_changed() or groups is None:
            return cleaned
        if self.cleaned_data.get("visibility") == Visibility.GROUPS and not groups:
            self.add_error("allowed_groups", "List at least one group, or choose everyone in the tenant.")
        if self.cleaned_data.get("visibility") == Visibility.TENANT and groups:
            self.add_error("allowed_groups", "Take the groups out, or choose members of the listed groups.")
        return cleaned

    @property
    def group_ids(self) -> list[str] | Unchanged:
        """What `actions.publish` is asked for."""
        if not self.has_changed():
            return UNCHANGED
        return [group.scaikey_id for group in self.cleaned_data["allowed_groups"]]

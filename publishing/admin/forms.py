"""The forms that staff fill in about Cores and publications."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.http import QueryDict
from django.utils.dateformat import format as date_format

from identity.admin_base import ActedForm
from identity.admin_fields import NarrowedSelect, NarrowedSelectMultiple, RowField, RowsField
from identity.models import Group
from publishing.actions.holds import LONGEST_REASON
from publishing.admin import page_state
from publishing.errors import StaleForm
from publishing.models import Core, CoreVersion, Publication, Visibility

GROUPS = Publication._meta.get_field("groups")


class VersionField(forms.ModelChoiceField[CoreVersion]):
    """A choice among a Core's versions, each shown by number, source, day and author."""

    def label_from_instance(self, obj: CoreVersion) -> str:
        """`3 (flow version 1.0.2, 2026-11-24, root@acme.test)`."""
        source = f"flow version {obj.flow_version}, " if obj.flow_version else ""
        return f"{obj.number} ({source}{date_format(obj.created_at, 'Y-m-d')}, {obj.created_by})"


class VisibilityForm(ActedForm):
    """Whom a model is open to. `seen` is what the page showed when it was opened."""

    renamed: ClassVar[dict[str, str]] = {"group_ids": "allowed_groups"}

    visibility = forms.ChoiceField(choices=Visibility.choices, required=False, widget=forms.RadioSelect)
    allowed_groups = RowsField(
        Group.objects.none(),
        required=False,
        label="Visibility group IDs",
        widget=NarrowedSelectMultiple(GROUPS, admin.site),
        help_text="Members of at least one of these, directly or through nested groups, may call the model.",
        error_messages={"invalid_choice": "A group that was chosen is not one of the available choices (any more)."},
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def open_page(self, core: Core) -> None:
        """Fill in what is true of `core` now, and what this person changed if somebody else was faster."""
        state = page_state.read_state(core)
        self.initial["visibility"] = state["visibility"][0]
        self.initial["allowed_groups"] = [int(group) for group in state["allowed_groups"]]
        self.initial["publish"] = bool(state["publish"])
        self.initial["seen"] = page_state.write_state(state)
        self.fields["allowed_groups"].widget.narrowed = {"tenant": core.tenant_id}
        if isinstance(self.refused, StaleForm):
            self.data = page_state.rebase(cast(QueryDict, self.data), core)

    def check_visibility(self) -> None:
        """The switch and the list must say the same, so that nobody opens a model by emptying a list."""
        visibility, groups = self.cleaned_data.get("visibility"), self.cleaned_data.get("allowed_groups")
        if groups is None or "visibility" in self.errors:
            return
        if not visibility:
            self.add_error("visibility", "This field is required.")
        if visibility == Visibility.GROUPS and not groups:
            self.add_error("allowed_groups", "List at least one group, or choose everyone in the tenant.")
        if visibility == Visibility.TENANT and groups:
            self.add_error("allowed_groups", "Take the groups out, or choose members of the listed groups.")

    @property
    def changes_visibility(self) -> bool:
        """Whether this person set another visibility, or other groups."""
        return bool({"visibility", "allowed_groups"} & set(self.changed_data))

    @property
    def group_ids(self) -> list[str]:
        """The ids of the chosen groups; none is everyone in the tenant."""
        return [group.scaikey_id for group in self.cleaned_data["allowed_groups"]]

    @property
    def seen_state(self) -> str | None:
        """What the page showed, None when it does not say."""
        return self.data.get("seen")

    @property
    def agreed(self) -> list[str]:
        """The questions that were answered by yes."""
        return list(self.data.getlist("agreed"))  # type: ignore[attr-defined]


class CoreForm(VisibilityForm):
    """A Core's live version, and whether it is a chat model, by the words of Flow properties."""

    renamed: ClassVar[dict[str, str]] = {**VisibilityForm.renamed, "version": "live", "core_id": "publish"}

    live = VersionField(
        CoreVersion.objects.none(),
        label="Live version",
        help_text="Another version answers the next call. Nothing is lost: every version stays.",
    )
    publish = forms.BooleanField(
        required=False,
        label="Publish as chat model",
        help_text="Takes effect at the next call. The saved flow keeps saying what it says; a deploy goes by that.",
    )

    class Meta:
        model = Core
        fields = ("live",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open_page(self.instance)
        self.fields["live"].required = self.instance.live_id is not None

    def clean(self) -> dict[str, Any] | None:
        """A visibility counts only beneath a ticked box."""
        cleaned = super().clean()
        if self.publishes:
            self.check_visibility()
        return cleaned

    @property
    def publishes(self) -> bool:
        """Whether the box is ticked, and it or the visibility beneath it was changed."""
        return bool(self.cleaned_data.get("publish")) and ("publish" in self.changed_data or self.changes_visibility)

    @property
    def unpublishes(self) -> bool:
        """Whether the tick was taken away; a page without the box takes none."""
        was_there = self.seen_state is not None or "publish" in self.data
        return was_there and "publish" in self.changed_data and not self.cleaned_data["publish"]


class PublicationForm(VisibilityForm):
    """Who may call a published model."""

    class Meta:
        model = Publication
        fields = ("visibility",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open_page(self.instance.core)

    def clean(self) -> dict[str, Any] | None:
        """Nothing is wrong with a visibility that is left as it is, even where its groups are gone."""
        cleaned = super().clean()
        if self.changes_visibility:
            self.check_visibility()
        return cleaned


class NewPublicationForm(VisibilityForm):
    """A Core to publish, and its visibility."""

    renamed: ClassVar[dict[str, str]] = {**VisibilityForm.renamed, "core_id": "core"}

    core = RowField(
        Core.objects.none(),
        widget=NarrowedSelect(Publication._meta.get_field("core"), admin.site),
        help_text="Cores with a live version that are neither published nor held.",
        error_messages={"invalid_choice": "Choose a Core that has a live version, and is neither published nor held."},
    )

    class Meta:
        model = Publication
        fields = ("core",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["core"].widget.narrowed = {"publishable": "yes"}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        self.check_visibility()
        return cleaned


class HoldForm(forms.Form):
    """Why staff take a Core out of the list."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="The tenant's admins read it, and everybody who tries to publish the Core.",
    )

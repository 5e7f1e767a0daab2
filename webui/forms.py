"""The forms of the web pages. They keep what was typed and show at each field what is wrong with it."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

import scaicore
from identity.errors import Invalid
from publishing import actions, documents, providers
from publishing.declared import starters
from publishing.models import Flow, FlowVersion
from webui.flow_saves import Base, current_base


class PlainText(forms.CharField):
    """Text with the line ends that the database keeps; browsers send others."""

    def to_python(self, value: Any) -> str:
        """The text with `\\n` between lines."""
        return str(super().to_python(value)).replace("\r\n", "\n").replace("\r", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the texts differ in more than their line ends and the space around them."""
        return super().has_changed(self.to_python(initial), data)


class GroupIdsField(forms.CharField):
    """Group ids with commas or spaces between them; the value is a list without repetitions."""

    # The canvas splits by the same pattern, so it is written in what Python and JavaScript share.
    SEPARATORS = r"[,;\s]+"

    def prepare_value(self, value: Any) -> Any:
        """The ids as one line of text."""
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The ids in the order in which they were typed."""
        text = self.prepare_value(value) or ""
        if "\0" in text:
            raise ValidationError("A group id holds a character that cannot be stored.", code="nul")
        return list(dict.fromkeys(part for part in re.split(self.SEPARATORS, text) if part))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the field names other ids, or the same ones in another order."""
        return super().has_changed(self.to_python(initial), data)


class TagsField(GroupIdsField):
    """Tags with commas between them; the value is a list without repetitions."""

    SEPARATORS = r"\s*[,;\n]\s*"


NAME_RULE = dict.fromkeys(("required", "max_length"), actions.NAME_RULE)


class NewFlowForm(forms.Form):
    """A name is enough to begin. A starter that asks a language model is told which."""

    name = forms.CharField(
        max_length=200,
        error_messages=NAME_RULE,
        help_text="For example: Hello World Echo Agent. It can be changed later.",
    )
    description = PlainText(
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Empty: what the starter says of itself.",
    )
    starter = forms.ChoiceField(required=False, label="Start from")
    provider = forms.ChoiceField(required=False)
    model = forms.CharField(
        required=False,
        max_length=200,
        label="Model",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
        help_text="As the provider calls it, for example: gpt-4o-mini. It can be named later, under Language models.",
    )

    def __init__(self, data: Any = None, *, tenant_id: str) -> None:
        super().__init__(data, initial={"starter": starters.KEYS[0]})
        self.starters = starters.list_starters()
        refs = sorted(providers.providers_of(tenant_id))
        self.fields["starter"].choices = [(key, each.name) for key, each in self.starters.items()]  # type: ignore[attr-defined]
        self.fields["provider"].choices = [(ref, ref) for ref in refs]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> starters.Starter:
        """The starter; the first one where none was chosen."""
        return self.starters[self["starter"].data or starters.KEYS[0]]


class FlowFileForm(forms.Form):
    """A file to make flows from."""

    file = forms.FileField(
        label="A file with flows",
        widget=forms.FileInput(attrs={"accept": ".json,.yaml,.yml"}),
        error_messages={"required": "Choose a file first.", "empty": "The file is empty."},
        help_text="A flow document as JSON, or the YAML that Export gives and manage.py apply takes. It becomes a new "
        "flow; nothing is deployed.",
    )


class PropertiesForm(forms.Form):
    """Flow properties, compared with what is saved now; it carries what was saved when the page was made."""

    base_version = forms.CharField(widget=forms.HiddenInput)
    base_time = forms.DateTimeField(widget=forms.HiddenInput)
    name = forms.CharField(max_length=200, error_messages=NAME_RULE)
    description = PlainText(required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}))
    tags = TagsField(
        required=False,
        max_length=2000,
        help_text="With commas between them, for example: support, internal. Flows and models are found by them.",
    )
    slug = forms.CharField(
        required=False,
        max_length=63,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
        help_text="The last part of the model's name, for good. Empty: made from the flow's name at the first deploy.",
    )
    publish = forms.BooleanField(required=False, label="Publish as chat model")
    groups = GroupIdsField(
        required=False,
        max_length=20_000,
        label="Visibility group IDs (comma-separated)",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    instance_mode = forms.ChoiceField(
        choices=[
            ("stateless", "Stateless: every call stands alone"),
            ("entity", "Entity: one memory for each entity_id"),
            ("singleton", "Singleton: one memory for all calls"),
        ],
    )
    entity_scope = forms.ChoiceField(
        choices=[("user", "Each user has entities of their own"), ("tenant", "The tenant shares its entities")],
    )
    readers = forms.ChoiceField(
        label="Who may read the prompts",
        choices=[("editors", "Those who may change the flow"), ("tenant", "Everyone in the tenant")],
        help_text="The others see which nodes there are and what leads where, not what stands in them.",
    )

    def __init__(self, data: Any = None, *, flow: Flow) -> None:
        self.flow, self.saved = flow, flow.saved
        super().__init__(data, initial={**_base_fields(flow), **saved_values(flow, self.saved)})
        if hasattr(flow, "core"):
            del self.fields["slug"]
        self.fields["groups"].help_text = f"Empty: everyone in {flow.tenant.name or flow.tenant} may call it."

    @property
    def edits(self) -> list[str]:
        """The properties in which the input differs from what is saved."""
        return [name for name in PROPERTIES if name in self.changed_data]

    @property
    def base(self) -> Base:
        """What was saved when the page was made."""
        return Base(self.cleaned_data.get("base_version", ""), self.cleaned_data.get("base_time"))

    def changes(self) -> dict[str, Any]:
        """The edits as `actions.save_flow` takes them. Name and description alone make no new version."""
        given = {name: self.cleaned_data[name] for name in self.edits}
        changes: dict[str, Any] = {name: given[name] for name in ("name", "description") if name in given}
        properties = {key: given[name] for name, key in IN_DOCUMENT.items() if name in given}
        if properties:
            changes["content"] = scaicore.with_properties(self.saved.content, **properties)
        return changes

    def differences(self) -> list[tuple[str, str, str]]:
        """Each edit in words: the field, what was typed, what is saved."""
        return [
            (str(self[name].label), _in_words(self[name].data), _in_words(self[name].initial)) for name in self.edits
        ]

    def on_newest(self, flow: Flow) -> PropertiesForm:
        """The same input for the flow as it is saved now; saving it puts it over that."""
        return PropertiesForm({**dict(self.data.items()), **_base_fields(flow)}, flow=flow)

    def refuse(self, refusal: Invalid) -> None:
        """Show what an action refused at the fields that it is about."""
        mine = {"group_ids": "groups", "name": "name", "slug": "slug"}
        for problem in refusal.problems:
            self.add_error(mine.get(problem.field.partition("[")[0]), problem.message)


# field → the property of the document that it sets
IN_DOCUMENT: Final = {
    "slug": "slug",
    "publish": "publish_as_model",
    "groups": "group_ids",
    "instance_mode": "instance_mode",
    "entity_scope": "entity_scope",
    "tags": "tags",
    "readers": "readers",
}
PROPERTIES: Final = ("name", "description", *IN_DOCUMENT)


def saved_values(flow: Flow, saved: FlowVersion) -> dict[str, Any]:
    """What is saved, field by field."""
    given = documents.config(saved.content).get("model_visibility_group_ids", [])
    properties = scaicore.properties(saved.content)
    is_readable = isinstance(given, list) and all(isinstance(name, str) for name in given)
    return {
        "name": flow.name,
        "description": flow.description,
        "slug": properties.slug,
        "publish": properties.publish_as_model,
        # What is no list of ids is shown as it is: the admin must see what a deploy will refuse.
        "groups": given if is_readable else [json.dumps(given)],
        "instance_mode": properties.instance_mode,
        "entity_scope": properties.entity_scope,
        "tags": list(properties.tags),
        "readers": properties.readers,
    }


def describe_properties(flow: Flow) -> dict[str, dict[str, Any]]:
    """The label, help and choices of each property, for the canvas to show as the form does."""
    form = PropertiesForm(flow=flow)
    return {
        name: {
            "label": form[name].label,
            "help": form[name].help_text,
            "choices": getattr(form.fields[name], "choices", []),
        }
        for name in PROPERTIES
        if name in form.fields
    }


def _base_fields(flow: Flow) -> dict[str, str]:
    base = current_base(flow)
    return {"base_version": base.version, "base_time": base.time.isoformat() if base.time else ""}


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "ticked" if value else "not ticked"
    return ", ".join(value) if isinstance(value, list) else str(value)

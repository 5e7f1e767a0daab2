"""The forms of providers and secrets. What is sealed is typed anew each time: no page is given it back."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.http import QueryDict
from rest_framework import serializers

from identity.errors import ActionRefused, Invalid
from publishing import providers
from publishing.actions import UNCHANGED, Unchanged
from publishing.api.provider_serializers import ModelOptionsSerializer
from publishing.models import ModelProvider

NAME_HELP = "Letters, digits and _ . : - without spaces. It never changes."
_OPTION: Final = "option_"
_OPTIONS: Final[dict[str, Any]] = dict(ModelOptionsSerializer().fields)
_UNSET: Final = ("", "Not set")
_TRUTHS: Final = {"true": True, "false": False}


class SealedField(forms.CharField):
    """A text that is stored sealed: hidden while it is typed, and never sent to the page."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"})
        super().__init__(strip=False, widget=widget, **kwargs)


class RefusableForm(forms.Form):
    """A form that shows what an action refused at the field that it is about; `name_field` is the thing's own name."""

    name_field = "name"

    @property
    def has_lost(self) -> bool:
        """Whether a sealed text was typed in vain: the page shows the other fields as they were, and this one empty."""
        sealed = [field for field in self if isinstance(field.field, SealedField)]
        return bool(self.errors) and any(field.data and not field.errors for field in sealed)

    def refuse(self, refusal: ActionRefused) -> None:
        """Show it; what is about no field of this form stands at the name, or above where that is fixed."""
        if not isinstance(refusal, Invalid):
            self.add_error(self.name_field if self.name_field in self.fields else None, str(refusal))
            return
        for problem in refusal.problems:
            field = problem.field.partition("[")[0].replace("options.", _OPTION)
            self.add_error(field if field in self.fields else None, problem.message)


class ProviderForm(RefusableForm):
    """A provider to add, or with `provider` one to change. A field for each option stands behind the others."""

    name_field = "ref"

    ref = forms.CharField(
        max_length=100,
        label="Name",
        help_text=f"Flows name the provider by it. {NAME_HELP}",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": "Give the provider a name, for example: openai."},
    )
    base_url = forms.CharField(
        max_length=500,
        label="Base URL",
        help_text="The part before /chat/completions, for example: https://api.openai.com/v1",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "inputmode": "url"}),
        error_messages={"required": "Give the URL of the server, for example: https://api.openai.com/v1"},
    )
    api_key = SealedField(max_length=1000, required=False, label="API key")
    remove_key = forms.BooleanField(required=False, label="Remove the key", help_text="Calls carry none from then on.")
    timeout_s = forms.FloatField(
        label="Timeout (seconds)",
        initial=f"{providers.TIMEOUT_S:g}",
        help_text="Longest silence before the first token, and between two of them.",
        widget=forms.NumberInput(attrs={"step": "any"}),
        error_messages={"required": "Give a number of seconds, for example: 60"},
    )

    def __init__(self, data: QueryDict | None = None, *, provider: ModelProvider | None = None) -> None:
        super().__init__(data, initial=_initial(provider) if provider else None)
        has_key = provider is not None and provider.has_key
        self.fields["api_key"].help_text = (
            "Empty: the key stays. It is stored sealed and never shown."
            if has_key
            else "Empty: calls carry none. It is stored sealed and never shown again."
        )
        if provider is not None:
            del self.fields["ref"]
        if not has_key:
            del self.fields["remove_key"]
        for name, described in _OPTIONS.items():
            self.fields[f"{_OPTION}{name}"] = _option_field(described)

    def clean(self) -> dict[str, Any]:
        """Refuse a new key that is to be removed at once."""
        if self.cleaned_data.get("remove_key") and self.cleaned_data.get("api_key"):
            self.add_error("remove_key", "Type a new key or remove the old one, not both.")
        return self.cleaned_data

    @property
    def key(self) -> str | Unchanged:
        """The key that was typed; empty when it is to be removed."""
        return self.cleaned_data["api_key"] or ("" if self.cleaned_data.get("remove_key") else UNCHANGED)

    @property
    def options(self) -> dict[str, Any]:
        """The options that are set, as the action takes them."""
        chosen = {name: self.cleaned_data[f"{_OPTION}{name}"] for name in _OPTIONS}
        return {
            name: _TRUTHS.get(value, value) if isinstance(value, str) else value
            for name, value in chosen.items()
            if value
        }

    def shared_fields(self) -> list[forms.BoundField]:
        """The fields of every provider."""
        return [field for field in self if not field.name.startswith(_OPTION)]

    def option_fields(self) -> list[forms.BoundField]:
        """The fields of the options."""
        return [field for field in self if field.name.startswith(_OPTION)]

    def has_options(self) -> bool:
        """Whether an option is set, or wrong: then they are not folded away."""
        return any(field.value() or field.errors for field in self.option_fields())


class SecretForm(RefusableForm):
    """A secret to add, or with `has_name` off another value for one."""

    name = forms.CharField(
        max_length=100,
        help_text=f"Flows name the secret by it. {NAME_HELP}",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": "Give the secret a name, for example: crm_token."},
    )
    value = SealedField(
        max_length=4000,
        help_text="One line of printable ASCII characters. It is stored sealed and never shown again.",
        error_messages={"required": "Type the value."},
    )

    def __init__(self, data: QueryDict | None = None, *, has_name: bool = True) -> None:
        super().__init__(data)
        if not has_name:
            del self.fields["name"]


class TrialForm(forms.Form):
    """What to ask a provider for."""

    model = forms.CharField(
        max_length=200,
        required=False,
        help_text="Empty: one that a live Core names, else the first that the server lists.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )


def _initial(provider: ModelProvider) -> dict[str, Any]:
    options = {f"{_OPTION}{name}": _as_typed(value) for name, value in provider.options.items()}
    return {"base_url": provider.base_url, "timeout_s": f"{provider.timeout_s:g}"} | options


def _as_typed(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _option_field(described: Any) -> forms.Field:
    """A field for an option as the API describes it, so that both say the same."""
    # The description is written for Markdown, the page is not.
    help_text = str(described.help_text).replace("`", "")
    shown: Any = {"required": False, "label": described.label, "help_text": help_text}
    if isinstance(described, serializers.ListField):
        child: Any = described.child
        choices = list(child.choices.items())
        return forms.MultipleChoiceField(choices=choices, widget=forms.SelectMultiple(attrs={"size": 5}), **shown)
    if isinstance(described, serializers.ChoiceField):
        return forms.ChoiceField(choices=[_UNSET, *described.choices.items()], **shown)
    return forms.ChoiceField(choices=[_UNSET, ("true", "Yes"), ("false", "No")], **shown)

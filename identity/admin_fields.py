"""Fields of the admin in which rows are found by typing: only what is offered is found, and nothing posted breaks them.

Django's own ask the database with whatever was posted, and a number too long or a NUL would be an error of the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.admin.widgets import AutocompleteMixin, AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import Model


def label_of(row: Model) -> str:
    """How a choice calls `row`: by its `label` if it has one, which tells more than its name alone."""
    return str(getattr(row, "label", row))


class _NarrowedMixin(AutocompleteMixin):
    """A search that `narrowed` limits; the address carries it, and `StaffAdmin.narrow` reads it there."""

    narrowed: Mapping[str, str] = {}
    choices: Any

    def get_url(self) -> str:
        return f"{super().get_url()}?{urlencode(self.narrowed)}" if self.narrowed else super().get_url()

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        model = self.choices.queryset.model
        return super().optgroups(name, [one for one in value if may_be_key(model, one)], attr)


class NarrowedSelect(_NarrowedMixin, AutocompleteSelect):
    """One row, found by typing."""


class NarrowedSelectMultiple(_NarrowedMixin, AutocompleteSelectMultiple):
    """Some rows, found by typing."""

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        """Without the cross that takes all away: it stands in a list where only items may."""
        return super().build_attrs(base_attrs, extra_attrs) | {"data-allow-clear": "false"}


class RowField(forms.ModelChoiceField[Any]):
    """One of the rows that are offered."""

    def label_from_instance(self, obj: Model) -> str:
        return label_of(obj)

    def to_python(self, value: Any) -> Any:
        if value not in self.empty_values:
            _refuse_unless_keys(self, [value])
        return super().to_python(value)


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Some of the rows that are offered."""

    def label_from_instance(self, obj: Model) -> str:
        return label_of(obj)

    def clean(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            _refuse_unless_keys(self, value)
        return super().clean(value)


def _refuse_unless_keys(field: RowField | RowsField, values: Any) -> None:
    for value in values:
        if not may_be_key(field.queryset.model, value):  # type: ignore[union-attr]
            message = field.error_messages["invalid_choice"]
            raise ValidationError(message, code="invalid_choice", params={"value": value})


def may_be_key(model: type[Model], value: Any) -> bool:
    """Whether a row could have the primary key `value`, which somebody posted."""
    field: Any = model._meta.pk
    # A key that points to another row is of that row's kind; to ask whether there is one takes a statement for each.
    while field.remote_field is not None:
        field = field.target_field
    try:
        field.clean(value, None)
    except ValidationError:
        return False
    return "\0" not in str(value)

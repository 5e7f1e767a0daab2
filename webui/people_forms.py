"""What a tenant admin changes of a person."""

from __future__ import annotations

from django import forms

from identity.models import Role


class PersonForm(forms.Form):
    """Name, role, and whether the person may sign in and call."""

    name = forms.CharField(required=False, max_length=200)
    role = forms.ChoiceField(choices=Role.choices, help_text="No role decides which models the person may call.")
    is_active = forms.BooleanField(
        required=False, label="Active", help_text="Off: no sign-in, and every key answers 401 from the next request."
    )

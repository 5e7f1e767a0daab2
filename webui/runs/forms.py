"""What the list of runs is searched by."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django import forms

from chatapi.activity import DAYS
from chatapi.models import Outcome
from chatapi.run_history.records import ERRORS

PERIODS: Final = [
    ("1", "Today"),
    (str(DAYS), f"{DAYS} days"),
    ("30", "30 days"),
    ("90", "90 days"),
    ("all", "All kept"),
]
OUTCOMES: Final = [("", "Any"), (ERRORS, "Errors"), *Outcome.choices]


class RunSearchForm(forms.Form):
    """All fields may be left out: then the runs of the last days are listed."""

    core = forms.CharField(
        label="Core",
        required=False,
        max_length=200,
        help_text="Its slug, model name or id.",
        widget=forms.TextInput({"list": "cores"}),
    )
    outcome = forms.ChoiceField(label="Outcome", required=False, choices=OUTCOMES)
    caller = forms.CharField(
        label="Caller", required=False, max_length=254, help_text="An e-mail address, or how a key begins."
    )
    days = forms.ChoiceField(label="Time", required=False, choices=PERIODS, initial=str(DAYS))
    request_id = forms.CharField(
        label="Request id", required=False, max_length=40, help_text="The x-request-id of an answer."
    )

    def __init__(self, given: Any, *, is_admin: bool) -> None:
        super().__init__({"days": self.base_fields["days"].initial, **given})
        if not is_admin:
            del self.fields["caller"]

    def conditions(self, at: datetime) -> dict[str, Any]:
        """What is searched for, in the words of `chatapi.run_history.records`; an unusable field asks for nothing."""
        self.is_valid()
        asked = {name: value for name, value in self.cleaned_data.items() if value}
        days = asked.pop("days", "all")
        if days != "all":
            first = at.astimezone(UTC).date() - timedelta(days=int(days) - 1)
            asked["since"] = datetime.combine(first, time(), tzinfo=UTC)
        return asked

"""Runs as people read them: callers by name, the ending as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chatapi.models import Outcome, UsageRecord
from chatapi.run_history.reasons import explain
from identity.models import ApiKey, User
from publishing.models import Flow

LOOKS: Final[dict[str, str]] = {Outcome.OK: "good", Outcome.FAILED: "bad", Outcome.TIMED_OUT: "bad"}


@dataclass(frozen=True)
class ShownRun:
    """A run and its names; `caller` is what started it where nobody called, `key` is empty where none was sent.
    `model` is the flow's name where it was never deployed."""

    record: UsageRecord
    caller: str
    key: str
    model: str

    @property
    def outcome(self) -> str:
        """In a word or two."""
        return str(Outcome(self.record.outcome).label)

    @property
    def look(self) -> str:
        """The colour of the outcome's badge."""
        return LOOKS.get(self.record.outcome, "")

    @property
    def sentence(self) -> str:
        """How it ended."""
        return explain(self.record.outcome, self.record.reason)

    @property
    def is_draft(self) -> bool:
        """Whether it tried a flow that was not deployed as it was."""
        return self.record.core_version == 0


def show(records: Sequence[UsageRecord]) -> list[ShownRun]:
    """The runs with the names of their callers, by three look-ups however many there are."""
    people = {record.user_id for record in records}
    emails = dict(User.objects.filter(pk__in=people).values_list("pk", "email"))
    keys = {key.pk: str(key) for key in ApiKey.objects.filter(pk__in={record.key_id for record in records})}
    # A draft that was never deployed has no model's name: it is counted under its flow's id.
    flows = dict(Flow.objects.filter(pk__in={record.core_id for record in records}).values_list("pk", "name"))
    return [
        ShownRun(
            record,
            emails.get(record.user_id) or record.user_id or f"the {record.purpose}",
            keys.get(record.key_id, record.key_id),
            flows.get(record.core_id, record.model),
        )
        for record in records
    ]

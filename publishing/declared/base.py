"""What every part of applying a file shares: the actor, the list of changes, and where an error is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model
from msgspec import UNSET

from identity.actors import Actor
from identity.errors import ActionRefused, Invalid

# column → its key in the file, where the two differ
WRITTEN = {"is_active": "active", "is_staff": "staff", "is_superuser": "superuser", "scaikey_id": "id"}


class DeclarationRefused(Exception):
    """The file cannot be applied and nothing was changed; each line names a location in the file and what is wrong."""


def refusal_at(location: str, message: str) -> DeclarationRefused:
    """The refusal with `message` at `location`, such as `tenants[0].users[1].email`."""
    return DeclarationRefused(f"{location}: {message}" if location else message)


@dataclass
class ApplyRun:
    """One application of a file: who, when, one line for each change so far, and what else is worth reading."""

    actor: Actor
    at: datetime
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def added(self, what: str) -> None:
        """Note something new."""
        self.changes.append(f"+ {what}")

    def changed(self, what: str, how: str) -> None:
        """Note something that has changed."""
        self.changes.append(f"~ {what}: {how}")

    def noted(self, what: str, why: str) -> None:
        """Note something that differs from the file and stays so."""
        self.notes.append(f"! {what}: {why}")


@contextmanager
def refusals_at(location: str) -> Iterator[None]:
    """Say of whatever an action refuses inside where in the file it was asked for."""
    try:
        yield
    except Invalid as error:
        found = [(_join(location, problem.field), problem.message) for problem in error.problems]
        raise DeclarationRefused("\n".join(f"{where}: {message}" for where, message in found)) from error
    except ActionRefused as error:
        raise refusal_at(location, str(error)) from error


def assign(row: Model, wanted: dict[str, Any]) -> str:
    """Set what the file names on `row`; returns what that changes, in words."""
    differing = {name: value for name, value in wanted.items() if value is not UNSET and getattr(row, name) != value}
    changes = []
    for name, value in differing.items():
        changes.append(f"{WRITTEN.get(name, name)} {_write(getattr(row, name))} → {_write(value)}")
        setattr(row, name, value)
    return ", ".join(changes)


def _write(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or "—"


def must_differ(location: str, key: str, values: Iterable[str]) -> None:
    """Refuse a list in which two entries have the same value."""
    seen: dict[str, int] = {}
    for number, value in enumerate(values):
        if value in seen:
            raise refusal_at(f"{location}[{number}].{key}", f"{value} is in {location}[{seen[value]}] already.")
        seen[value] = number


def _join(location: str, field: str) -> str:
    name, bracket, rest = field.partition("[")
    return f"{location}.{WRITTEN.get(name, name)}{bracket}{rest}" if field else location

"""What every part of applying a file shares: the actor, the list of changes, and the place of an error."""

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

# How the file calls what the columns are called otherwise.
WRITTEN = {"is_active": "active", "is_staff": "staff", "is_superuser": "superuser", "scaikey_id": "id"}


class DeclarationRefused(Exception):
    """The file cannot be applied and nothing was changed; each line names a place in the file and what is wrong."""


def refused(place: str, message: str) -> DeclarationRefused:
    """The refusal that says `message` about `place`, such as `tenants[0].users[1].email`."""
    return DeclarationRefused(f"{place}: {message}" if place else message)


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
        """Note something that is otherwise now."""
        self.changes.append(f"~ {what}: {how}")

    def noted(self, what: str, why: str) -> None:
        """Note something that is not as the file says, and stays so."""
        self.notes.append(f"! {what}: {why}")


@contextmanager
def standing_at(place: str) -> Iterator[None]:
    """Give whatever an action refuses inside the place in the file that asked for it."""
    try:
        yield
    except Invalid as error:
        found = [(_joined(place, problem.field), problem.message) for problem in error.problems]
        raise DeclarationRefused("\n".join(f"{where}: {message}" for where, message in found)) from error
    except ActionRefused as error:
        raise refused(place, str(error)) from error


def lay(row: Model, wanted: dict[str, Any]) -> str:
    """Set what the file names on `row`; returns what that changes, in words."""
    differing = {name: value for name, value in wanted.items() if value is not UNSET and getattr(row, name) != value}
    told = []
    for name, value in differing.items():
        told.append(f"{WRITTEN.get(name, name)} {_word(getattr(row, name))} → {_word(value)}")
        setattr(row, name, value)
    return ", ".join(told)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or "—"


def must_differ(place: str, key: str, values: Iterable[str]) -> None:
    """Refuse a list in which two entries mean the same thing."""
    seen: dict[str, int] = {}
    for number, value in enumerate(values):
        if value in seen:
            raise refused(f"{place}[{number}].{key}", f"{value} stands in {place}[{seen[value]}] already.")
        seen[value] = number


def _joined(place: str, field: str) -> str:
    name, bracket, rest = field.partition("[")
    return f"{place}.{WRITTEN.get(name, name)}{bracket}{rest}" if field else place

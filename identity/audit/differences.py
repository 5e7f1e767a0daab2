"""What an entry says was changed, in words."""

from __future__ import annotations

from typing import Any

from identity.models import AuditEntry

NOTHING = "—"
Facts = dict[str, Any] | None


def differences(before: Facts, after: Facts) -> list[tuple[str, str]]:
    """Each value of what came or went, by name; of a change, those that differ."""
    if before is None or after is None:
        return [(name, word(value)) for name, value in (before or after or {}).items()]
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [(name, _change_of(before.get(name), after.get(name))) for name in names]


def last_name(entry: AuditEntry) -> str:
    """What the thing was called, when it is no longer there."""
    values = (entry.before or {}) | (entry.after or {})
    name = next((str(values[key]) for key in ("name", "slug", "email", "user") if values.get(key)), "")
    return f"{name} ({entry.target})" if name else entry.target


def noun(entry: AuditEntry) -> str:
    """What kind of thing the entry is about, as its action names it."""
    return entry.action.partition(".")[0]


def word(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return NOTHING if value in (None, "") else str(value)


def _change_of(before: Any, after: Any) -> str:
    """Of a list, what came and what went; of anything else, both values."""
    if not (isinstance(before, list) and isinstance(after, list)):
        return f"{word(before)} → {word(after)}"
    came = [f"+ {item}" for item in after if item not in before]
    return ", ".join([*came, *(f"− {item}" for item in before if item not in after)])

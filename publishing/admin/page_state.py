"""What a Core's pages showed when they were opened, so that nobody saves over a change that they have not seen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from identity.models import Group
from publishing.errors import StaleForm
from publishing.models import Core, CoreVersion, Hold, LastVisibility, Publication, Visibility

# What a browser would send for each field of the form if nobody touched it.
PageState = dict[str, list[str]]
WORDS = {
    "live": "live version",
    "publish": "published",
    "visibility": "visibility",
    "allowed_groups": "groups",
    "hold": "hold",
}


def read_state(core: Core) -> PageState:
    """The state of `core` now. Unless it is published, it shows its last visibility."""
    publication = Publication.objects.filter(core=core).first()
    shown = publication or LastVisibility.objects.filter(core=core).first()
    hold = Hold.objects.filter(core=core).first()
    groups = shown.groups.order_by("pk").values_list("pk", flat=True) if shown else []
    return {
        "live": [str(core.live_id)] if core.live_id else [],
        "publish": ["on"] if publication else [],
        "visibility": [shown.visibility if shown else Visibility.TENANT.value],
        "allowed_groups": [str(group) for group in groups],
        "hold": [hold.reason] if hold else [],
    }


def write_state(state: PageState) -> str:
    """The state as the page carries it."""
    return json.dumps(state)


def must_be_fresh(core: Core, seen: str | None) -> None:
    """Raise `StaleForm` unless `core`, which the caller has locked, is as the page showed it.

    None is a page that carries no state: what it sends is taken for what is wanted.
    """
    if seen is None:
        return
    now, before = read_state(core), _parse(seen)
    if changes := [_in_words(core, name, before.get(name), now[name]) for name in now if before.get(name) != now[name]]:
        raise StaleForm(changes)


def rebase(sent: QueryDict, core: Core) -> QueryDict:
    """What was sent on top of what is true now: fields that this person left alone take the new values."""
    now, before = read_state(core), _parse(sent.get("seen", ""))
    rebased = sent.copy()
    for name, values in now.items():
        if sorted(sent.getlist(name)) == sorted(before.get(name, [])):
            rebased.pop(name, None)
            if values:
                rebased.setlist(name, values)
    rebased["seen"] = write_state(now)
    return rebased


def _parse(seen: str) -> Mapping[str, list[str]]:
    """The state that a page carried; what is not one says nothing."""
    try:
        found: Any = json.loads(seen)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: values for name, values in found.items() if isinstance(values, list)}


def _in_words(core: Core, name: str, before: list[str] | None, now: list[str]) -> str:
    return f"{WORDS[name]} {_words(core, name, before)} → {_words(core, name, now)}"


def _words(core: Core, name: str, values: list[str] | None) -> str:
    """The values as people read them. They may have been tampered with: what is not the Core's own is not looked up."""
    if values is None or not all(isinstance(value, str) for value in values):
        return "?"
    keys = [int(value) for value in values if re.fullmatch("[0-9]{1,18}", value)]
    match name:
        case "publish":
            return "yes" if values else "no"
        case "visibility":
            return ", ".join(dict(Visibility.choices).get(value, "?").lower() for value in values)
        case "live":
            numbers = CoreVersion.objects.filter(core=core, pk__in=keys).values_list("number", flat=True)
            return ", ".join(str(number) for number in numbers) or "none"
        case "allowed_groups":
            groups = Group.objects.filter(tenant=core.tenant_id, pk__in=keys).values_list("scaikey_id", flat=True)
            return ", ".join(groups) or ("deleted" if keys else "none")
    return ", ".join(values) or "none"

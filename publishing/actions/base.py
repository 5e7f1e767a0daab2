"""Shared by the actions: the value that says "left out", and the locks that put two of them in order."""

from __future__ import annotations

from typing import Final

from identity.errors import Invalid, Problem
from publishing.errors import CoreNotFound, FlowNotFound
from publishing.models import Core, Flow


class Unchanged:
    """The value of an argument that was left out: keep what is there."""


UNCHANGED: Final = Unchanged()


NAME_RULE: Final = "Give it a name of 1 to 200 characters."


def clean_name(name: str) -> str:
    """The name to store; `Invalid` when it is blank or longer than 200 characters."""
    if not name.strip() or len(name) > 200:
        raise Invalid("The name is unusable.", [Problem("name", NAME_RULE)])
    return name.strip()


def lock_flow(flow: Flow) -> Flow:
    """The flow as it is now, locked until the transaction ends."""
    locked = Flow.objects.select_for_update().filter(pk=flow.pk).first()
    if locked is None:
        raise FlowNotFound
    return locked


def lock_core(core: Core) -> Core:
    """The Core as it is now, locked until the transaction ends."""
    # Without a join: a row joined here would be the one that was there before we waited for the lock.
    locked = Core.objects.select_for_update().filter(pk=core.pk).first()
    if locked is None:
        raise CoreNotFound
    return locked

"""How many a publication reaches at one moment, and whether a change would let somebody new call it."""

from __future__ import annotations

from dataclasses import dataclass

from publishing import registry
from publishing.models import Publication, Visibility


@dataclass(frozen=True)
class Reach:
    """Who could call at one moment. `callers` is left empty where everyone may: nobody could be new there."""

    name: str
    is_open: bool
    count: int
    group_ids: tuple[str, ...] = ()
    callers: frozenset[str] = frozenset()

    def __str__(self) -> str:
        whom = "everyone in the tenant" if self.is_open else "its groups"
        return f"{whom}, {self.count} active user{'' if self.count == 1 else 's'}"

    @property
    def audience(self) -> str:
        """Whom it is open to, by name."""
        return "everyone in the tenant" if self.is_open else ", ".join(self.group_ids) or "groups that are gone: nobody"


def measure_reach(publication: Publication | None) -> Reach | None:
    """The reach of `publication` now; None when there is no publication."""
    if publication is None:
        return None
    audience = registry.audience(publication)
    if publication.visibility == Visibility.TENANT:
        return Reach(publication.name, True, audience.count())
    callers = frozenset(audience.values_list("pk", flat=True))
    return Reach(publication.name, False, len(callers), tuple(publication.group_ids), callers)


def question_about(before: Reach | None, after: Reach | None) -> str | None:
    """What to ask before `before` becomes `after`; None unless somebody new could call what is published already."""
    if before is None or after is None or before.is_open:
        return None
    if not after.is_open and after.callers <= before.callers:
        return None
    return f"Access widens: {after.name} is now for {before}; it would be for {after}."

"""Usage by day, model, user and key, counted by the database.

What one flow runs of another has the purpose `subflow`: it is a run of its Core, but not a request of the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Case, Count, FloatField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, TruncDate

from chatapi.activity import FAULTS
from chatapi.models import UsageRecord
from identity import keys
from identity.models import ApiKey, User

SUBFLOW = "subflow"
NOBODY = "(webhook)"  # in place of a user and a key
MOST_ROWS = 100
MOST_EXPORTED = 50_000


class P50(Aggregate):
    """The median."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


class P95(P50):
    """The value that 95 of 100 stay below."""

    template = "%(function)s(0.95) WITHIN GROUP (ORDER BY %(expressions)s)"


FIGURES: dict[str, Any] = {
    "requests": Count("pk"),
    "errors": Count("pk", filter=Q(outcome__in=FAULTS)),
    "prompt_tokens": Coalesce(Sum("prompt_tokens"), 0),
    "completion_tokens": Coalesce(Sum("completion_tokens"), 0),
    "p50": P50("duration_ms"),
    "p95": P95("duration_ms"),
}


@dataclass(frozen=True)
class Figures:
    """One row: its label and its numbers. Times are in milliseconds, None where nothing ran."""

    label: str
    requests: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    p50: float | None = None
    p95: float | None = None
    subflows: int = 0

    @property
    def tokens(self) -> int:
        """In and out together."""
        return self.prompt_tokens + self.completion_tokens


def rows_of(tenant_id: str, *, user_id: str | None, days: int, at: datetime) -> QuerySet[UsageRecord]:
    """The runs of the last `days` days (UTC, today included) of a tenant, or of one of its users."""
    found = UsageRecord.objects.filter(tenant_id=tenant_id, at__gte=_midnight(at) - timedelta(days=days - 1))
    return (found.filter(user_id=user_id) if user_id else found).order_by()


def total(rows: QuerySet[UsageRecord]) -> Figures:
    """All requests together."""
    return Figures("All", **_asked(rows).aggregate(**FIGURES))


def by_day(rows: QuerySet[UsageRecord], *, days: int, at: datetime) -> list[Figures]:
    """One row for each day, the oldest first; a day without a request has a row of zeros."""
    found = {row.pop("day"): row for row in _counted(_asked(rows).annotate(day=TruncDate("at")), "day")}
    return [Figures(day.isoformat(), **found.get(day, {})) for day in _days(days, at)]


def by_model(rows: QuerySet[UsageRecord]) -> list[Figures]:
    """One row for each model, the most called first; sub-flow runs are included, and counted separately as well."""
    counted = _counted(rows, "model", subflows=Count("pk", filter=Q(purpose=SUBFLOW)))
    return [Figures(row.pop("model"), **row) for row in counted.order_by("-requests", "model")[:MOST_ROWS]]


def by_user(rows: QuerySet[UsageRecord]) -> list[Figures]:
    """One row for each user, by e-mail address, or by id where the user is gone."""
    return _named(rows, "user_id", lambda ids: dict(User.objects.filter(pk__in=ids).values_list("pk", "email")))


def by_key(rows: QuerySet[UsageRecord], *, tenant_id: str) -> list[Figures]:
    """One row for each key of a tenant, by name and prefix, or by id where the key is gone.

    The playground's keys share one.
    """
    # Playground keys live for minutes: with a row for each, the others could not be found.
    of_playground = ApiKey.objects.filter(keys.for_playground(), user__tenant_id=tenant_id).values("pk")
    shared = When(key_id__in=of_playground, then=Value(keys.PLAYGROUND))
    named = rows.annotate(key=Case(shared, default="key_id"))
    return _named(named, "key", lambda ids: {key.pk: str(key) for key in ApiKey.objects.filter(pk__in=ids)})


def exported(rows: QuerySet[UsageRecord]) -> Any:
    """One dict for each day, model, user, key and purpose."""
    parts = ("day", "model", "user_id", "key_id", "purpose")
    return _counted(rows.annotate(day=TruncDate("at")), *parts).order_by(*parts)[:MOST_EXPORTED]


def _counted(rows: QuerySet[UsageRecord], *parts: str, **more: Any) -> Any:
    """A dict of figures for each combination of `parts`; Any, since no type says what is annotated."""
    return rows.values(*parts).annotate(**FIGURES, **more)


def _named(rows: QuerySet[UsageRecord], field: str, names_of: Any) -> list[Figures]:
    counted = list(_counted(_asked(rows), field).order_by("-requests", field)[:MOST_ROWS])
    names = names_of([row[field] for row in counted])
    return [Figures(names.get(name := row.pop(field), name) or NOBODY, **row) for row in counted]


def _asked(rows: QuerySet[UsageRecord]) -> QuerySet[UsageRecord]:
    return rows.exclude(purpose=SUBFLOW)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _days(days: int, at: datetime) -> list[date]:
    return [(at - timedelta(days=back)).date() for back in reversed(range(days))]

"""Usage by day, model, user and key, from the sums of days.

What one flow runs of another has the purpose `subflow`: it is a run of its Core, but not a request of the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Case, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, Coalesce

from chatapi.daily_usage.durations import NOTHING, find_percentiles, percentiles_of
from chatapi.models import CallerDay, ModelDay
from identity import keys
from identity.models import ApiKey, User

SUBFLOW = "subflow"
NOBODY = "(webhook)"  # in place of a user and a key
MOST_ROWS = 100
MOST_EXPORTED = 50_000


def _sum(field: str, **more: Any) -> Cast:
    # PostgreSQL's sum of whole numbers is a decimal one.
    return Cast(Coalesce(Sum(field, **more), 0, output_field=BigIntegerField()), BigIntegerField())


FIGURES: dict[str, Any] = {name: _sum(name) for name in ("requests", "errors", "prompt_tokens", "completion_tokens")}


@dataclass(frozen=True)
class Figures:
    """One row: its label and its numbers. Times are in milliseconds, None where nothing ran."""

    label: str
    requests: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    p50: int | None = None
    p95: int | None = None
    subflows: int = 0

    @property
    def tokens(self) -> int:
        """In and out together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Calls:
    """What is reported on: the last `days` days (UTC, today included) of a tenant, or of one of its users."""

    tenant_id: str
    user_id: str | None
    days: int
    at: datetime

    @property
    def dates(self) -> list[date]:
        """The days, the oldest first."""
        return [(self.at - timedelta(days=back)).date() for back in reversed(range(self.days))]

    @property
    def of_callers(self) -> QuerySet[CallerDay]:
        """The sums by user and key."""
        found = CallerDay.objects.filter(tenant_id=self.tenant_id, day__gte=self.dates[0]).order_by()
        return found.filter(user_id=self.user_id) if self.user_id else found

    @property
    def of_models(self) -> QuerySet[Any]:
        """The sums by model: far fewer rows, where they are not of one user."""
        if self.user_id:
            return self.of_callers
        return ModelDay.objects.filter(tenant_id=self.tenant_id, day__gte=self.dates[0]).order_by()


def total(calls: Calls) -> Figures:
    """All requests together."""
    asked = _asked(calls.of_models).annotate(everything=Value("All"))
    found = [Figures(row.pop("everything"), **row) for row in _counted(asked, "everything")]
    return found[0] if found else Figures("All")


def by_day(calls: Calls) -> list[Figures]:
    """One row for each day, the oldest first; a day without a request has a row of zeros."""
    found = {row.pop("day"): row for row in _counted(_asked(calls.of_models), "day")}
    return [Figures(day.isoformat(), **found.get(day, {})) for day in calls.dates]


def by_model(calls: Calls) -> list[Figures]:
    """One row for each model, the most called first; sub-flow runs are included, and counted separately as well."""
    subflows = _sum("requests", filter=Q(purpose=SUBFLOW))
    return [Figures(row.pop("model"), **row) for row in _most(calls.of_models, "model", subflows=subflows)]


def by_user(calls: Calls) -> list[Figures]:
    """One row for each user, by e-mail address, or by id where the user is gone."""
    rows = _most(_asked(calls.of_callers), "user_id")
    return _named(rows, "user_id", lambda ids: dict(User.objects.filter(pk__in=ids).values_list("pk", "email")))


def by_key(calls: Calls) -> list[Figures]:
    """One row for each key of a tenant, by name and prefix, or by id where the key is gone.

    The playground's keys share one.
    """
    # Playground keys live for minutes: with a row for each, the others could not be found.
    of_playground = ApiKey.objects.filter(keys.for_playground(), user__tenant_id=calls.tenant_id).values("pk")
    shared = When(key_id__in=of_playground, then=Value(keys.PLAYGROUND))
    rows = _most(_asked(calls.of_callers).annotate(key=Case(shared, default="key_id")), "key")
    return _named(rows, "key", lambda ids: {key.pk: str(key) for key in ApiKey.objects.filter(pk__in=ids)})


def exported(calls: Calls) -> list[dict[str, Any]]:
    """One dict for each day, model, user, key and purpose."""
    parts = ("day", "model", "user_id", "key_id", "purpose")
    rows = calls.of_callers.order_by(*parts, "core_id").values(*parts, *FIGURES, "durations", "counts")
    return [row | percentiles_of(row.pop("durations"), row.pop("counts"))._asdict() for row in rows[:MOST_EXPORTED]]


def _counted(rows: QuerySet[Any], part: str) -> list[dict[str, Any]]:
    """The figures of each value of `part`."""
    return _with_percentiles(list(rows.values(part).annotate(**FIGURES)), rows, part)


def _most(rows: QuerySet[Any], part: str, **more: Any) -> list[dict[str, Any]]:
    """The figures of those with the most requests; `more` are further ones."""
    # In this order: once it is summed up, the name of a field is that of its sum.
    counted = list(rows.values(part).annotate(**more, **FIGURES).order_by("-requests", part)[:MOST_ROWS])
    return _with_percentiles(counted, rows.filter(**{f"{part}__in": [row[part] for row in counted]}), part)


def _with_percentiles(counted: list[dict[str, Any]], rows: QuerySet[Any], part: str) -> list[dict[str, Any]]:
    found = find_percentiles(rows, part)
    return [row | found.get(row[part], NOTHING)._asdict() for row in counted]


def _named(rows: list[dict[str, Any]], field: str, names_of: Callable[[list[str]], dict[str, str]]) -> list[Figures]:
    names = names_of([row[field] for row in rows])
    return [Figures(names.get(name := row.pop(field), name) or NOBODY, **row) for row in rows]


def _asked(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.exclude(purpose=SUBFLOW)

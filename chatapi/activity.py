"""How often Cores were called lately, for the pages that list them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from chatapi.models import Outcome, UsageRecord
from publishing.models import Core

WEEK = timedelta(days=7)
# A caller who leaves is no fault of the model.
FAULTS = (Outcome.FAILED, Outcome.TIMED_OUT)


@dataclass(frozen=True)
class Activity:
    """Runs of one Core in the last seven days, sub-flow calls included, and the last run ever."""

    calls: int = 0
    errors: int = 0
    last_at: datetime | None = None


def count_activity(cores: Iterable[str], *, at: datetime) -> dict[str, Activity]:
    """The activity of each Core up to `at`."""
    wanted = list(cores)
    week = UsageRecord.objects.filter(core_id__in=wanted, at__gt=at - WEEK).order_by().values("core_id")
    counted = week.annotate(calls=Count("pk"), errors=Count("pk", filter=Q(outcome__in=FAULTS)))
    numbers = {row["core_id"]: (row["calls"], row["errors"]) for row in counted}
    newest = UsageRecord.objects.filter(core_id=OuterRef("pk")).order_by("-at").values("at")[:1]
    last = Core.objects.filter(pk__in=wanted).annotate(last_at=Subquery(newest)).values_list("pk", "last_at")
    return {core_id: Activity(*numbers.get(core_id, (0, 0)), last_at=last_at) for core_id, last_at in last}


def called_since(at: datetime) -> Exists:
    """Whether the Core that a row is about, as its primary key, was called after `at`."""
    return Exists(UsageRecord.objects.filter(core_id=OuterRef("pk"), at__gt=at))


def find_last_runs(cores: Iterable[str], *purposes: str) -> dict[str, UsageRecord]:
    """The newest run of each Core that has any; with `purposes`, of those alone."""
    mine = UsageRecord.objects.filter(core_id=OuterRef("pk"), **({"purpose__in": purposes} if purposes else {}))
    newest: QuerySet[Core, str] = (
        Core.objects.filter(pk__in=list(cores))
        .annotate(last=Subquery(mine.order_by("-at").values("pk")[:1]))
        .values_list("last", flat=True)
    )
    return {run.core_id: run for run in UsageRecord.objects.filter(pk__in=newest)}

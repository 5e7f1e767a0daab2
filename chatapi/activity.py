"""How often Cores were called lately, for the pages that list them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet, Subquery, Sum

from chatapi.models import ModelDay, Outcome, UsageRecord
from publishing.models import Core

DAYS = 7
# A caller who leaves is no fault of the model.
FAULTS = (Outcome.FAILED, Outcome.TIMED_OUT)


@dataclass(frozen=True)
class Activity:
    """Runs of one Core today (UTC) and on the six days before, sub-flow calls included, and the last run ever."""

    calls: int = 0
    errors: int = 0
    last_at: datetime | None = None


def count_activity(cores: Iterable[str], *, at: datetime) -> dict[str, Activity]:
    """The activity of each Core up to `at`."""
    wanted = list(cores)
    week = ModelDay.objects.filter(core_id__in=wanted, day__gt=at.date() - timedelta(days=DAYS))
    counted = week.values("core_id").annotate(calls=Sum("requests"), faults=Sum("errors"))
    numbers = {row["core_id"]: (int(row["calls"]), int(row["faults"])) for row in counted}
    newest = ModelDay.objects.filter(core_id=OuterRef("pk")).order_by("-day", "-last_at").values("last_at")[:1]
    last = Core.objects.filter(pk__in=wanted).annotate(last_at=Subquery(newest)).values_list("pk", "last_at")
    return {core_id: Activity(*numbers.get(core_id, (0, 0)), last_at=last_at) for core_id, last_at in last}


def called_since(at: datetime) -> Exists:
    """Whether the Core that a row is about, as its primary key, was called after `at`."""
    return Exists(ModelDay.objects.filter(core_id=OuterRef("pk"), day__gte=at.date(), last_at__gt=at))


def find_last_runs(cores: Iterable[str], *purposes: str) -> dict[str, UsageRecord]:
    """The newest run of each Core that has any; with `purposes`, of those alone."""
    mine = UsageRecord.objects.filter(core_id=OuterRef("pk"), **({"purpose__in": purposes} if purposes else {}))
    newest: QuerySet[Core, str] = (
        Core.objects.filter(pk__in=list(cores))
        .annotate(last=Subquery(mine.order_by("-at").values("pk")[:1]))
        .values_list("last", flat=True)
    )
    return {run.core_id: run for run in UsageRecord.objects.filter(pk__in=newest)}

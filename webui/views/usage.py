"""Usage: what was called, by day, model, user and key. Tenant admins see all calls, everybody else their own."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from chatapi.models import UsageRecord
from identity.actors import actor_of
from identity.models import User
from publishing import spreadsheets
from webui import charts, usage_reports
from webui.decorators import MemberRequest, member_page
from webui.usage_reports import Figures

SPANS = (7, 30, 90)
COLUMNS = (
    "day",
    "model",
    "user_id",
    "user",
    "key_id",
    "purpose",
    "requests",
    "errors",
    "prompt_tokens",
    "completion_tokens",
    "p50",
    "p95",
)
# A spreadsheet would take a cell that begins like this for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@require_safe
@member_page
def usage(request: MemberRequest) -> HttpResponse:
    """The figures of 7, 30 or 90 days as charts, with the numbers in tables below."""
    at, days = timezone.now(), _span(request)
    rows = _visible(request, days)
    daily = usage_reports.by_day(rows, days=days, at=at)
    manages = _manages(request)
    return render(
        request,
        "usage/usage.html",
        {
            "days": days,
            "spans": SPANS,
            "manages": manages,
            "total": usage_reports.total(rows),
            "charts": _charts(daily),
            "daily": list(reversed(daily)),
            "tables": [
                ("By model", "Model", usage_reports.by_model(rows)),
                *([("By user", "User", usage_reports.by_user(rows))] if manages else []),
                ("By API key", "Key", usage_reports.by_key(rows, tenant_id=request.user.tenant_id)),
            ],
        },
    )


@require_safe
@member_page
def export(request: MemberRequest) -> HttpResponse:
    """The same as CSV, one line for each day, model, user, key and purpose."""
    days = _span(request)
    rows = list(usage_reports.exported(_visible(request, days)))
    emails = dict(User.objects.filter(pk__in={row["user_id"] for row in rows}).values_list("pk", "email"))
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer.headers["content-disposition"] = f'attachment; filename="usage-{days}-days.csv"'
    answer.write(spreadsheets.write_lines([COLUMNS]))
    for row in rows:
        cells = {**row, "user": emails.get(row["user_id"], ""), "p50": round(row["p50"]), "p95": round(row["p95"])}
        answer.write(spreadsheets.write_lines([[cells[name] for name in COLUMNS]]))
    return answer


def _charts(daily: list[Figures]) -> list[charts.Chart]:
    days = [row.label for row in daily]
    fine = [row.requests - row.errors for row in daily]
    return [
        charts.stacked("Requests", days, {"answered": fine, "errors": [row.errors for row in daily]}, ""),
        charts.stacked(
            "Tokens",
            days,
            {"in": [row.prompt_tokens for row in daily], "out": [row.completion_tokens for row in daily]},
            "",
        ),
        charts.lines("Duration", days, {"p50": [row.p50 for row in daily], "p95": [row.p95 for row in daily]}, " ms"),
    ]


def _span(request: MemberRequest) -> int:
    asked = request.GET.get("days", "")
    return next((days for days in SPANS if str(days) == asked), 30)


def _manages(request: MemberRequest) -> bool:
    return actor_of(request.user).manages(request.user.tenant_id)


def _visible(request: MemberRequest, days: int) -> QuerySet[UsageRecord]:
    mine = None if _manages(request) else request.user.pk
    return usage_reports.rows_of(request.user.tenant_id, user_id=mine, days=days, at=timezone.now())

"""Usage: what was called, by day, model, user and key. Tenant admins see all calls, everybody else their own."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from identity.actors import actor_of
from identity.models import User
from publishing import downloads
from publishing.limits.standing import standings_of
from webui import charts, usage_reports
from webui.decorators import MemberRequest, member_page
from webui.usage_reports import Calls, Figures

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
    calls = _visible(request)
    daily = usage_reports.by_day(calls)
    manages = _manages(request)
    return render(
        request,
        "usage/usage.html",
        {
            "days": calls.days,
            "spans": SPANS,
            "manages": manages,
            "limits": standings_of(request.user),
            "total": usage_reports.total(calls),
            "charts": _charts(daily),
            "daily": list(reversed(daily)),
            "tables": [
                ("By model", "Model", usage_reports.by_model(calls)),
                *([("By user", "User", usage_reports.by_user(calls))] if manages else []),
                ("By API key", "Key", usage_reports.by_key(calls)),
            ],
        },
    )


@require_safe
@member_page
def export(request: MemberRequest) -> HttpResponse:
    """The same as CSV, one line for each day, model, user, key and purpose."""
    calls = _visible(request)
    rows = usage_reports.exported(calls)
    emails = dict(User.objects.filter(pk__in={row["user_id"] for row in rows}).values_list("pk", "email"))
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer.headers["content-disposition"] = f'attachment; filename="usage-{calls.days}-days.csv"'
    answer.write(downloads.write_lines([COLUMNS]))
    for row in rows:
        cells = {**row, "user": emails.get(row["user_id"], "")}
        answer.write(downloads.write_lines([[cells[name] for name in COLUMNS]]))
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
        charts.lines(
            "Duration",
            days,
            {"p50": [row.p50 for row in daily], "p95": [row.p95 for row in daily]},
            charts.MILLISECONDS,
        ),
    ]


def _span(request: MemberRequest) -> int:
    asked = request.GET.get("days", "")
    return next((days for days in SPANS if str(days) == asked), 30)


def _manages(request: MemberRequest) -> bool:
    return actor_of(request.user).manages(request.user.tenant_id)


def _visible(request: MemberRequest) -> Calls:
    mine = None if _manages(request) else request.user.pk
    return Calls(request.user.tenant_id, user_id=mine, days=_span(request), at=timezone.now())

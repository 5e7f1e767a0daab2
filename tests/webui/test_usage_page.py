"""The usage page and its export: whose calls are counted for whom, and what a sub-flow counts for."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO
from itertools import count
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chatapi.models import UsageRecord
from identity.models import ApiKey, User
from tests.support.browsing import page_of
from webui import charts

numbers = count()


def ran(user: User, **fields: Any) -> None:
    given: dict[str, Any] = {
        "at": timezone.now(),
        "request_id": f"req_{next(numbers)}",
        "tenant_id": user.tenant_id,
        "user_id": user.pk,
        "key_id": "apikey_x",
        "core_id": "core_x",
        "core_version": 1,
        "model": f"scaicore/{user.tenant_id}/a",
        "is_streamed": False,
        "outcome": "ok",
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "duration_ms": 100,
    }
    UsageRecord.objects.create(**given | fields)


def seen(client: Client, user: User, url: str = "/usage/") -> Any:
    client.force_login(user)
    return client.get(url).context


def test_an_admin_sees_the_tenant_and_others_themselves(
    client: Client, root: User, ann: User, bo: User, cy: User
) -> None:
    for user in (ann, bo, bo, cy):
        ran(user)
    found = [seen(client, user)["total"].requests for user in (root, ann, bo, cy)]
    assert found == [3, 1, 2, 1]
    assert "bo@acme.test" not in page_of(client.get("/usage/"))


def test_percentiles_errors_and_tokens_are_counted(client: Client, ann: User) -> None:
    for duration in range(1, 101):
        ran(ann, duration_ms=duration, outcome="failed" if duration > 98 else "ok")
    ran(ann, outcome="cancelled", duration_ms=50)
    total = seen(client, ann)["total"]
    assert (total.requests, total.errors, total.tokens) == (101, 2, 707)
    assert (round(total.p50), round(total.p95)) == (50, 95)


def test_a_subflow_is_a_run_of_its_model_and_no_request_of_the_caller(client: Client, root: User, ann: User) -> None:
    ran(ann)
    ran(ann, purpose="subflow", model="scaicore/acme/inner")
    context = seen(client, root)
    models, users, keys = (rows for _, _, rows in context["tables"])
    assert context["total"].requests == 1
    assert [row.requests for row in (*users, *keys)] == [1, 1]
    assert sum(row.requests for row in context["daily"]) == 1
    told = {row.label: (row.requests, row.subflows) for row in models}
    assert told == {"scaicore/acme/a": (1, 0), "scaicore/acme/inner": (1, 1)}


@pytest.mark.parametrize("days, shown", [("7", 7), ("30", 30), ("90", 90), ("1000", 30), ("x", 30)])
def test_the_span_is_one_of_three(client: Client, ann: User, days: str, shown: int) -> None:
    ran(ann, at=timezone.now() - timedelta(days=100))
    ran(ann)
    context = seen(client, ann, f"/usage/?days={days}")
    assert len(context["daily"]) == shown
    assert context["total"].requests == 1


def test_without_calls_the_page_says_what_to_do(client: Client, ann: User) -> None:
    client.force_login(ann)
    assert "Make one in the playground" in page_of(client.get("/usage/"))


def test_the_export_holds_what_the_user_may_see(client: Client, root: User, ann: User, cy: User) -> None:
    ran(ann)
    ran(cy)
    client.force_login(root)
    answer = client.get("/usage/export.csv?days=7")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    [row] = csv.DictReader(StringIO(answer.content.decode()))
    assert (row["user"], row["requests"], row["p50"]) == ("ann@acme.test", "1", "100")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(client: Client, ann: User, cell: str) -> None:
    ran(ann, model=cell)
    client.force_login(ann)
    [row] = csv.DictReader(StringIO(client.get("/usage/export.csv").content.decode(), newline=""))
    assert row["model"] == f"'{cell}"


def test_visitors_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/usage/").status_code == client.get("/usage/export.csv").status_code == 302


@pytest.mark.parametrize("most", [0, 1, 4, 7, 99, 12345])
def test_a_chart_keeps_every_bar_inside(most: int) -> None:
    chart = charts.stacked("T", ["2026-01-01", "2026-01-02"], {"a": [most, 0], "b": [0, most]}, "")
    assert all(bar.y >= charts.TOP and bar.y + bar.height <= chart.floor + 0.1 for bar in chart.bars)
    assert len(chart.bars) == (2 if most else 0)


def test_a_line_is_broken_where_nothing_ran() -> None:
    chart = charts.lines("T", ["a", "b", "c", "d"], {"p50": [1.0, 2.0, None, 3.0]}, " ms")
    [(_, path)] = chart.lines
    assert (path.count("M"), path.count("L")) == (2, 1)


def test_the_keys_of_the_playground_are_one_row(client: Client, ann: User) -> None:
    client.force_login(ann)
    for _ in range(2):
        client.post("/playground/key/")
    for key in ApiKey.objects.all():
        ran(ann, key_id=key.pk)
    _, [_, _, rows] = seen(client, ann)["tables"]
    assert [(row.label, row.requests) for row in rows] == [("Playground", 2)]


@pytest.mark.parametrize("value, told", [(0, "0"), (2.5, "2.5"), (7500, "7500"), (15000, "15 k"), (2_500_000, "2.5 M")])
def test_the_numbers_on_the_axis_of_a_chart_are_short(value: float, told: str) -> None:
    assert charts._short(value) == told

"""A Core that starts by itself: once for each time, whichever process takes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from chatapi import schedules, usage
from chatapi.models import UsageRecord
from chatapi.schedules import Scheduler
from identity import actors
from identity.models import Tenant, User
from publishing import actions
from publishing.models import Core, Entity, Schedule
from tests.chatapi.test_webhooks import deployed, node
from tests.support.serving import serving

OPERATOR = actors.operator("test")
REPLY = node("reply", "llm_rigid", template="at {{scheduled_at}}", result_binding="response")
YEARLY = "0 0 1 1 *"
WAYS = (("entry", "reply"), ("clock", "reply"))


def scheduled(root: User, **clock: Any) -> Core:
    """A Core that also starts once a year, or as `clock` says: no test shall see a time come that it did not make."""
    nodes = [node("entry", "entry_api"), node("clock", "entry_schedule", **{"cron": YEARLY, **clock}), REPLY]
    return deployed(root, *nodes, ways=WAYS, name="Clock")


def redeploy(core: Core, **clock: Any) -> None:
    assert core.flow is not None
    saved = core.flow.saved
    for one in saved.content["nodes"]:
        if one["id"] == "clock":
            one["config"] = {**one["config"], **clock}
    actions.save_flow(core.flow, base_version=saved.version, content=saved.content, actor=OPERATOR, at=timezone.now())
    actions.deploy(core.flow, actor=OPERATOR, at=timezone.now())


def aside(act: Callable[..., Any], *given: Any, **named: Any) -> Awaitable[Any]:
    """Do it where the database of this test is at hand."""
    return sync_to_async(act)(*given, **named)


def make_due(core: Core, *, ago: timedelta = timedelta(seconds=1)) -> datetime:
    at = timezone.now() - ago
    Schedule.objects.filter(core=core).update(due_at=at)
    return at


async def fire(*schedulers: Scheduler) -> list[UsageRecord]:
    """What ran, once all of these processes have looked and their runs have ended."""
    await asyncio.gather(*(one.begin_due() for one in schedulers))
    for one in schedulers:
        await one.finish(10)
    await usage.flush()
    # The ledger may write the last row of an earlier test as late as this.
    return [row async for row in UsageRecord.objects.filter(purpose="schedule").order_by("id")]


def test_a_deploy_writes_when_it_is_due(root: User, acme: Tenant) -> None:
    core = scheduled(root, cron="30 9 * * 1-5", timezone="Europe/Amsterdam")
    [row] = Schedule.objects.all()
    assert (row.core, row.entry, row.cron, row.missed) == (core, "clock", "30 9 * * 1-5", "run_once")
    assert row.due_at > timezone.now()
    assert row.due_at.astimezone(UTC).minute == 30


def test_a_later_deploy_keeps_the_time_unless_the_schedule_changed(root: User, acme: Tenant) -> None:
    core = scheduled(root)
    due = make_due(core)
    redeploy(core, missed="skip")
    assert Schedule.objects.values_list("due_at", "missed").get() == (due, "skip")
    redeploy(core, cron="* * * * *")
    assert Schedule.objects.get().due_at > timezone.now()


def test_a_roll_back_takes_the_schedules_of_its_version(root: User, acme: Tenant) -> None:
    core = scheduled(root)
    redeploy(core, cron="* * * * *")
    actions.rollback(core, version=1, actor=OPERATOR, at=timezone.now())
    assert Schedule.objects.get().cron == YEARLY


def test_a_core_that_goes_takes_its_schedules_along(root: User, acme: Tenant) -> None:
    actions.delete_core(scheduled(root), actor=OPERATOR, at=timezone.now())
    assert not Schedule.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_what_is_due_runs_and_is_counted(root: User) -> None:
    core = await aside(scheduled, root)
    due = await aside(make_due, core)
    [run] = await fire(Scheduler())
    assert (run.purpose, run.outcome, run.user_id, run.core_id) == ("schedule", "ok", "", core.pk)
    assert run.model == "scaicore/acme/clock"
    assert (await Schedule.objects.aget()).due_at > due


@pytest.mark.django_db(transaction=True)
async def test_of_many_processes_one_takes_a_time(root: User) -> None:
    core = await aside(scheduled, root)
    await aside(make_due, core)
    runs = await fire(*[Scheduler() for _ in range(8)])
    assert len(runs) == 1


@pytest.mark.django_db(transaction=True)
async def test_nothing_runs_before_its_time(root: User) -> None:
    await aside(scheduled, root)
    assert await fire(Scheduler()) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("missed", "runs"), [("run_once", 1), ("skip", 0)])
async def test_times_at_which_no_server_ran_are_one_run_or_none(root: User, missed: str, runs: int) -> None:
    core = await aside(scheduled, root, missed=missed)
    await aside(make_due, core, ago=timedelta(hours=5))
    assert len(await fire(Scheduler())) == runs
    assert (await Schedule.objects.aget()).due_at > timezone.now()
    assert len(await fire(Scheduler())) == runs


@pytest.mark.django_db(transaction=True)
async def test_a_little_late_is_not_missed(root: User) -> None:
    core = await aside(scheduled, root, missed="skip")
    await aside(make_due, core, ago=timedelta(seconds=20))
    assert len(await fire(Scheduler())) == 1


@pytest.mark.django_db(transaction=True)
async def test_a_tenant_that_is_switched_off_runs_nothing(root: User, acme: Tenant) -> None:
    core = await aside(scheduled, root)
    await aside(make_due, core)
    await Tenant.objects.filter(pk=acme.pk).aupdate(is_active=False)
    assert await fire(Scheduler()) == []


@pytest.mark.django_db(transaction=True)
async def test_a_run_that_fails_is_counted_and_stops_no_other(root: User) -> None:
    broken = [
        node("entry", "entry_api"),
        node("clock", "entry_schedule", cron=YEARLY),
        node("sum", "data_variable_set", variable="n", expression="1 / int(message.size())"),
        REPLY,
    ]
    bad = await aside(
        deployed,
        root,
        *broken,
        ways=(("entry", "reply"), ("clock", "sum"), ("sum", "reply")),
        name="Bad",
        variables=[{"name": "n", "type": "integer", "default": 0}],
    )
    good = await aside(scheduled, root)
    for core in (bad, good):
        await aside(make_due, core)
    runs = await fire(Scheduler())
    assert {run.core_id: run.outcome for run in runs} == {bad.pk: "failed", good.pk: "ok"}


@pytest.mark.django_db(transaction=True)
async def test_a_core_of_one_memory_remembers_the_run(root: User) -> None:
    nodes = [
        node("entry", "entry_api"),
        node("clock", "entry_schedule", cron=YEARLY),
        node("count", "data_variable_set", variable="n", expression="int(state.n) + 1"),
        REPLY,
    ]
    core = await aside(
        deployed,
        root,
        *nodes,
        ways=(("entry", "count"), ("clock", "count"), ("count", "reply")),
        name="Counter",
        variables=[{"name": "n", "type": "integer", "default": 0}],
        config={"scaiflow_meta": {"instance_mode": "singleton"}},
    )
    for _ in range(2):
        await aside(make_due, core)
        await fire(Scheduler())
    assert (await Entity.objects.aget(core=core)).state == {"n": 2}


def test_two_servers_run_it_once_by_themselves(root: User, transactional_db: None) -> None:
    core = scheduled(root)
    with serving(), serving():
        make_due(core)
        until = time.monotonic() + 20
        while not UsageRecord.objects.exists() and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(schedules.EVERY_S + 1)
    [run] = UsageRecord.objects.all()
    assert (run.purpose, run.outcome) == ("schedule", "ok")

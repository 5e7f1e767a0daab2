"""What was called, in the admin: by publication, and by what calls from outside."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chatapi.models import Outcome, UsageRecord
from identity.actors import actor_of
from identity.models import Tenant, User
from publishing import actions
from publishing.actions.remotes import RemoteProgram
from publishing.models import Core
from tests.chatapi.test_webhooks import AUTH, deployed, keep_secret, node
from tests.support.staff import page, signed_in, superuser

PUBLICATIONS = "/admin/publishing/publication/"
REMOTES = "/admin/chatapi/remotecore/"
WEBHOOKS = "/admin/chatapi/webhookcore/"
SCHEDULES = "/admin/chatapi/scheduledcore/"
REPLY = node("reply", "llm_rigid", template="{{message}}", result_binding="response")
numbers = itertools.count()


@pytest.fixture
def staff(root: User) -> Client:
    return signed_in(root)


def ran(core: Core, *, days_ago: float = 1, outcome: str = Outcome.OK, purpose: str = "chat") -> UsageRecord:
    return UsageRecord.objects.create(
        at=timezone.now() - timedelta(days=days_ago),
        request_id=f"req_{next(numbers)}",
        tenant_id=core.tenant_id,
        core_id=core.pk,
        core_version=1,
        model=core.model_name,
        purpose=purpose,
        is_streamed=False,
        outcome=outcome,
        prompt_tokens=1,
        completion_tokens=1,
        duration_ms=1,
    )


def rows_of(client: Client, url: str) -> list[Any]:
    answer = client.get(url)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def says(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def hooked(root: User) -> Core:
    keep_secret(root)
    return deployed(root, node("hook", "entry_webhook", auth=AUTH), REPLY)


def scheduled(root: User) -> Core:
    nodes = [node("entry", "entry_api"), node("clock", "entry_schedule", cron="0 6 * * 1", timezone="Europe/Amsterdam")]
    return deployed(root, *nodes, REPLY, name="Weekly", ways=(("entry", "reply"), ("clock", "reply")))


def remote(root: User) -> Core:
    program = RemoteProgram(url="https://agents.example/run", secret="s" * 32)
    return actions.create_core(
        tenant=root.tenant, name="Elsewhere", remote=program, actor=actor_of(root), at=timezone.now()
    )


def test_a_publication_says_what_was_called_in_a_week_and_last(staff: Client, echo: Core) -> None:
    for outcome in (Outcome.OK, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CANCELLED):
        ran(echo, outcome=outcome)
    ran(echo, days_ago=8, outcome=Outcome.FAILED)
    [row] = rows_of(staff, PUBLICATIONS)
    assert (row.activity.calls, row.activity.errors) == (4, 2)
    assert ">2 errors</a>" in says(staff, PUBLICATIONS)


def test_the_errors_lead_to_the_runs_that_failed(staff: Client, echo: Core) -> None:
    ran(echo)
    failed = ran(echo, outcome=Outcome.FAILED)
    url = f"/admin/chatapi/usagerecord/?core_id={echo.pk}&outcome__in=failed%2Ctimed_out"
    assert url.replace("&", "&amp;") in says(staff, PUBLICATIONS)
    assert rows_of(staff, url) == [failed]


def test_one_that_was_never_called_says_so(staff: Client, echo: Core) -> None:
    assert "never" in says(staff, PUBLICATIONS)


@pytest.mark.parametrize(("days_ago", "is_found"), [([], True), ([91], True), ([89], False), ([200, 1], False)])
def test_what_nobody_called_for_90_days_is_found(
    staff: Client, echo: Core, days_ago: list[int], is_found: bool
) -> None:
    for days in days_ago:
        ran(echo, days_ago=days)
    assert [row.pk for row in rows_of(staff, f"{PUBLICATIONS}?review=unused-90")] == [echo.pk] * is_found


def test_a_webhook_is_listed_with_its_url_its_secret_and_its_last_run(staff: Client, root: User, echo: Core) -> None:
    core = hooked(root)
    ran(core, purpose="webhook", days_ago=2, outcome=Outcome.FAILED)
    ran(core, purpose="invoke")
    [row] = rows_of(staff, WEBHOOKS)
    assert (row.pk, row.last_run.purpose) == (core.pk, "webhook")
    text = says(staff, WEBHOOKS)
    for said in ("/hooks/acme/orders", "X-Hub-Signature-256", ">orders<", "failed"):
        assert said in text


def test_a_webhook_that_nobody_reaches_says_so(staff: Client, root: User) -> None:
    deployed(root, node("hook", "entry_webhook"), REPLY)
    assert "no signature: nobody is let in" in says(staff, WEBHOOKS)


def test_a_schedule_is_listed_with_its_times(staff: Client, root: User, echo: Core) -> None:
    core = scheduled(root)
    assert [row.pk for row in rows_of(staff, SCHEDULES)] == [core.pk]
    text = says(staff, SCHEDULES)
    assert "0 6 * * 1" in text
    assert "Europe/Amsterdam" in text


def test_a_remote_core_is_listed_with_where_it_is_called(staff: Client, root: User, echo: Core) -> None:
    core = remote(root)
    last = ran(core)
    [row] = rows_of(staff, REMOTES)
    assert (row.pk, row.last_run) == (core.pk, last)
    assert "https://agents.example/run" in says(staff, REMOTES)


@pytest.mark.parametrize(("url", "make"), [(REMOTES, remote), (WEBHOOKS, hooked), (SCHEDULES, scheduled)])
def test_staff_of_another_tenant_find_none(root: User, globex: Tenant, url: str, make: Any) -> None:
    core = make(root)
    sid = signed_in(User.objects.create_user("sid@globex.test", tenant=globex, is_staff=True))
    assert rows_of(sid, url) == []
    assert sid.get(page(url, core), follow=True).redirect_chain == [("/admin/", 302)]
    assert [row.pk for row in rows_of(signed_in(superuser()), url)] == [core.pk]


@pytest.mark.parametrize(("url", "make"), [(REMOTES, remote), (WEBHOOKS, hooked), (SCHEDULES, scheduled)])
def test_the_page_of_one_leads_to_its_core_and_its_runs(staff: Client, root: User, url: str, make: Any) -> None:
    core = make(root)
    text = says(staff, page(url, core))
    assert page("/admin/publishing/core/", core) in text
    assert f"/admin/chatapi/usagerecord/?core_id={core.pk}" in text


@pytest.mark.parametrize("term", ["echo-ag", "Echo Agent", "scaicore/acme/echo-agent", "req_wanted", "ANN@"])
def test_runs_are_found_by_core_person_and_request(staff: Client, echo: Core, ann: User, bo: User, term: str) -> None:
    run = ran(echo)
    UsageRecord.objects.filter(pk=run.pk).update(request_id="req_wanted", user_id=ann.pk)
    other = ran(Core(pk="core_gone", slug="gone", tenant_id="acme"))
    UsageRecord.objects.filter(pk=other.pk).update(user_id=bo.pk)
    assert rows_of(staff, f"/admin/chatapi/usagerecord/?q={term.replace(' ', '+')}") == [run]

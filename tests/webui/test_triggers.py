"""The flow page says how a live Core starts without a chat: its webhook with a signed request, its next times."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from django.test import Client

from identity.models import User
from publishing.models import Core, Schedule
from tests.chatapi.test_schedules import scheduled
from tests.chatapi.test_webhooks import HOOK, SECRET, counting, deployed, keep_secret, says
from tests.support.browsing import page_of
from tests.support.serving import Server
from webui.triggers import find_triggers


def orders(root: User) -> Core:
    return deployed(root, HOOK, says("got {{message}}"))


def page(client: Client, user: User, core: Core) -> str:
    client.force_login(user)
    return page_of(client.get(f"/flows/{core.flow_id}/"))


def test_a_webhook_is_shown_with_a_signed_request(client: Client, root: User) -> None:
    core = orders(root)
    keep_secret(root)
    shown = page(client, root, core)
    assert '<code id="webhook-url">http://testserver/hooks/acme/orders</code>' in shown
    assert 'made with the secret <a href="/secrets/orders/">orders</a>' in shown
    assert SECRET not in shown


def test_a_webhook_without_its_secret_says_what_to_do(client: Client, root: User, ann: User) -> None:
    core = orders(root)
    assert '<a href="/secrets/">Add it under Secrets</a>' in page(client, root, core)
    assert "there is no secret orders. A tenant admin can add it." in page(client, ann, core)


@pytest.mark.parametrize("keeps_memory", [False, True])
def test_the_signed_request_is_let_in_as_it_stands(
    lean_server: Server, transactional_db: None, root: User, keeps_memory: bool
) -> None:
    core = counting(root) if keeps_memory else orders(root)
    keep_secret(root)
    webhook = find_triggers(core, site=lean_server.url)["webhook"]
    command = webhook.command.replace("curl ", "curl --silent --show-error --max-time 20 ", 1)
    ran = subprocess.run(
        ["sh", "-c", command], env={"WEBHOOK_SECRET": SECRET, "PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    assert b'"output"' in ran.stdout


def test_the_next_times_of_a_schedule_are_shown(client: Client, root: User) -> None:
    core = scheduled(root, timezone="Europe/Berlin")
    Schedule.objects.update(due_at=datetime(2031, 12, 31, 23, tzinfo=UTC))
    shown = page(client, root, core)
    assert "<code>0 0 1 1 *</code> in Europe/Berlin:" in shown
    for year in (2031, 2032, 2033):
        assert f'<time datetime="{year}-12-31T23:00:00+00:00">' in shown


def test_a_program_that_this_server_cannot_read_has_no_webhook(root: User) -> None:
    core = orders(root)
    assert core.live is not None
    core.live.program = {"format": 0}
    assert find_triggers(core, site="")["webhook"] is None


def test_what_has_neither_shows_neither(client: Client, root: User, echo: Core) -> None:
    shown = page(client, root, echo)
    assert "webhook-title" not in shown
    assert "schedule-title" not in shown

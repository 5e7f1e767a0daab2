"""One run, one row, however it ended."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from chatapi.models import UsageRecord
from identity.models import ApiKey, User
from publishing.models import Core
from tests.support.chat_calls import call, hello
from tests.support.serving import Server


def recorded(count: int) -> list[UsageRecord]:
    """The rows of this test's Cores, once there are `count` of them; a little later there must still be no more.

    The row of an earlier test's last call may come after its tables were emptied.
    """
    rows = UsageRecord.objects.filter(core_id__in=Core.objects.values("pk")).order_by("id")
    until = time.monotonic() + 5
    while rows.count() < count and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.1)
    found = list(rows)
    assert len(found) == count
    return found


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_call_is_recorded_once(
    server: Server, ann: User, echo: Core, key_of: Callable[[User], str], is_streamed: bool
) -> None:
    answer = call(server, key_of(ann), hello(stream=is_streamed))
    [row] = recorded(1)
    assert row.request_id == answer.headers["x-request-id"]
    assert (row.tenant_id, row.user_id, row.core_id, row.core_version) == ("acme", ann.pk, echo.pk, 1)
    assert (row.model, row.is_streamed, row.outcome) == ("scaicore/acme/echo-agent", is_streamed, "ok")
    assert (row.prompt_tokens, row.completion_tokens) == (1, 1)


def test_a_refused_call_is_no_run(server: Server, bo: User, narrow_echo: Core, key_of: Callable[[User], str]) -> None:
    key = key_of(bo)
    call(server, key)
    call(server, key, b"[")
    call(server, None)
    assert recorded(0) == []


def test_last_use_of_a_key_is_written_and_not_at_every_call(
    server: Server, ann: User, echo: Core, key_of: Callable[[User], str]
) -> None:
    key = key_of(ann)
    call(server, key)
    recorded(1)
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    call(server, key)
    recorded(2)
    assert ApiKey.objects.get().last_used_at == first

"""What one request may use up, the Cores that call each other included, by whichever way it came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.utils import timezone

import scaicore
from chatapi import completions, invocations, usage
from chatapi.models import UsageRecord
from chatapi.responses import Frames
from identity.actors import actor_of
from identity.models import User
from publishing import actions
from publishing.models import Core
from scaicore.drivers.flow import FlowDriver
from tests.conftest import echo_document
from tests.support.chat_calls import hello

pytestmark = pytest.mark.usefixtures("inside", "echo")


def deployed(owner: User, name: str, nodes: list[dict[str, Any]], ways: list[tuple[str, str]]) -> Core:
    """A published flow; a way begins at a node or at one of its ports, `node.port`."""
    document = echo_document()
    document["nodes"] = [{"id": "entry", "type": "entry_api", "config": {}}, *nodes]
    for n, each in enumerate(document["nodes"]):
        each |= {"label": each["id"], "position": {"x": 0, "y": n}}
    document["edges"] = [
        {"id": f"e{n}", "type": "sequential", "source": _end(a), "target": {"node": b}} for n, (a, b) in enumerate(ways)
    ]
    actor, at = actor_of(owner), timezone.now()
    flow = actions.create_flow(tenant=owner.tenant, name=name, content=document, actor=actor, at=at)
    return actions.deploy(flow, actor=actor, at=at).core


def _end(source: str) -> dict[str, str]:
    node, _, port = source.partition(".")
    return {"node": node, "port": port} if port else {"node": node}


def asks(name: str, slug: str, **config: Any) -> dict[str, Any]:
    return {"id": name, "type": "subflow_call", "config": {"target": f"core://acme/{slug}", **config}}


def fan(owner: User, name: str, slug: str, width: int = 5) -> Core:
    """A Core that calls another one so many times at once."""
    calls = [asks(f"c{n}", slug) for n in range(width)]
    return deployed(owner, name, calls, [("entry", call["id"]) for call in calls])


def loop(owner: User, name: str, slug: str, times: int) -> Core:
    """A Core that calls another one so many times in a row."""
    each = {"style": "while", "condition": "message != ''", "max_iterations": times}
    nodes = [{"id": "again", "type": "logic_loop", "config": each}, asks("call", slug)]
    return deployed(owner, name, nodes, [("entry", "again"), ("again.body", "call")])


def chain(owner: User, name: str, slug: str, length: int = 1, **config: Any) -> Core:
    """A Core that calls another one so many times, each call after the one before."""
    calls = [asks(f"c{n}", slug, **config) for n in range(length)]
    names = ["entry", *(call["id"] for call in calls)]
    return deployed(owner, name, calls, list(pairwise(names)))


async def chat(key: str, model: str) -> int:
    answer = await completions.answer(key, {}, json.dumps(hello(model=f"scaicore/acme/{model}")).encode())
    assert not isinstance(answer, Frames)
    return answer.status


async def invoke(key: str, core: Core) -> int:
    body = json.dumps({"input": {"message": "hello"}}).encode()
    return (await invocations.answer(key, core.pk, {}, body, request_id="req_1")).status


async def runs() -> int:
    await usage.flush()
    return await UsageRecord.objects.acount()


make_fan, make_loop, make_chain = (sync_to_async(make) for make in (fan, loop, chain))


@pytest.mark.parametrize("make", [make_fan, make_loop])
@pytest.mark.parametrize("way", ["chat", "invoke"])
async def test_a_core_that_calls_itself_ends_within_the_runs_of_its_request(
    root: User, anns_key: str, settings: LazySettings, make: Any, way: str
) -> None:
    settings.MAX_RUNS_PER_REQUEST = 30
    core = await make(root, "Itself", "itself", 5)
    assert await (chat(anns_key, "itself") if way == "chat" else invoke(anns_key, core)) == 502
    assert await runs() <= 30


@pytest.mark.parametrize("make", [make_fan, make_loop, make_chain])
async def test_one_run_more_than_the_request_may_cause_is_a_core_error(
    root: User, anns_key: str, settings: LazySettings, make: Any
) -> None:
    core = await make(root, "Outer", "echo-agent", 6)
    settings.MAX_RUNS_PER_REQUEST = 7
    assert (await chat(anns_key, "outer"), await invoke(anns_key, core), await runs()) == (200, 200, 14)
    settings.MAX_RUNS_PER_REQUEST = 6
    assert (await chat(anns_key, "outer"), await invoke(anns_key, core)) == (502, 502)
    assert await runs() <= 14 + 12


async def test_runs_are_counted_on_every_level(root: User, anns_key: str, settings: LazySettings) -> None:
    await make_fan(root, "Middle", "echo-agent")
    await make_fan(root, "Outer", "middle")
    settings.MAX_RUNS_PER_REQUEST = 31
    assert (await chat(anns_key, "outer"), await runs()) == (200, 31)
    settings.MAX_RUNS_PER_REQUEST = 30
    assert await chat(anns_key, "outer") == 502


async def test_steps_are_counted_over_all_runs(root: User, anns_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await make_chain(root, "Outer", "echo-agent", 4)
    # The entry, four calls, and the two nodes of the echo flow four times.
    monkeypatch.setattr("scaicore.runtime.budget.MAX_STEPS", 13)
    assert await chat(anns_key, "outer") == 200
    monkeypatch.setattr("scaicore.runtime.budget.MAX_STEPS", 12)
    assert await chat(anns_key, "outer") == 502


async def test_characters_are_counted_over_all_runs(root: User, anns_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await make_chain(root, "Outer", "echo-agent", 10)
    monkeypatch.setattr("scaicore.runtime.budget.MAX_HELD", 100)
    assert (await chat(anns_key, "echo-agent"), await chat(anns_key, "outer")) == (200, 502)


async def test_each_request_has_a_budget_of_its_own(root: User, anns_key: str, settings: LazySettings) -> None:
    await make_fan(root, "Outer", "echo-agent")
    await make_fan(root, "Itself", "itself")
    settings.MAX_RUNS_PER_REQUEST = 6
    answers = [chat(anns_key, model) for model in ("outer", "itself", "outer", "outer")]
    assert await asyncio.gather(*answers) == [200, 502, 200, 200]


class Watched:
    """A driver that notes of each run how many others go on, and how many seconds it has."""

    def __init__(self) -> None:
        self.most = self._running = 0
        self.deadlines: list[float] = []

    def calculate(self, request: scaicore.RunRequest) -> None:
        """It waits."""

    async def run(self, request: scaicore.RunRequest) -> AsyncGenerator[scaicore.Event]:
        """The flow's own events."""
        self.deadlines.append(request.deadline_s)
        self._running += 1
        self.most = max(self.most, self._running)
        try:
            async for event in FlowDriver().run(request):
                yield event
                await asyncio.sleep(0)
        finally:
            self._running -= 1


@pytest_asyncio.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    driver = Watched()
    monkeypatch.setitem(scaicore.DRIVERS, "flow", driver)
    return driver


async def test_a_crowd_of_calls_runs_at_most_eight_at_a_time(root: User, anns_key: str, watched: Watched) -> None:
    await make_fan(root, "Outer", "echo-agent", 60)
    assert await chat(anns_key, "outer") == 200
    assert 1 < watched.most <= 1 + 8


async def test_no_core_that_is_called_may_run_longer_than_the_request(
    root: User, anns_key: str, watched: Watched, settings: LazySettings
) -> None:
    settings.RUN_DEADLINE_S = 100
    await make_chain(root, "Middle", "echo-agent", timeout=900)
    await make_chain(root, "Outer", "middle", timeout=900)
    await make_chain(root, "Short", "middle", timeout=50)
    assert (await chat(anns_key, "outer"), await chat(anns_key, "short")) == (200, 200)
    outer, middle, echo, short, *below = watched.deadlines
    assert 100 > outer > middle > echo
    assert short > 50 > below[0] > below[1]

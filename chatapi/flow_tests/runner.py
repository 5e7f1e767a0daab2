"""Tests from the document to their outcomes. Each is a run of a draft: as the caller, counted as a test, without
memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct

import scaicore
from chatapi import responses
from chatapi.chat_response import Tokens
from chatapi.draft_runs import answers
from chatapi.draft_runs.drafts import TriedProgram
from chatapi.models import Outcome
from identity import ids
from publishing.process.cached_settings import settings
from scaicore import expectations
from scaicore.errors import REASONS
from scaicore.expectations import FlowTest, UnmetExpectation

AT_ONCE: Final = 4
TOO_LATE: Final = "It did not begin: the tests before it took all the time that there was."


@dataclass(frozen=True)
class Bench:
    """What is tested, by which entries of `tests`, and what is live, where failures are to be compared with that."""

    program: TriedProgram
    tests: list[Any]
    live: TriedProgram | None = None


class TriedTest(Struct, frozen=True):
    """How a test went. `unmet` are the expectations that do not hold; `message` says why it failed in words, and
    `request_id` is empty for one that could not be run."""

    name: str
    passed: bool
    message: str
    expect: dict[str, Any]
    answer: str | None = None
    live_answer: str | None = None
    unmet: list[UnmetExpectation] = []
    request_id: str = ""
    usage: Tokens | None = None


class Said(Struct, frozen=True):
    """What a program answered to a test; `problem` is why it did not."""

    request_id: str
    output: dict[str, Any] | None = None
    usage: Tokens | None = None
    problem: str = ""

    @property
    def text(self) -> str | None:
        """The answer as text."""
        return None if self.output is None else scaicore.response_text(self.output)


async def run(bench: Bench, names: Collection[str] | None = None) -> list[TriedTest]:
    """The outcome of each test in the order of the document; with `names`, of those alone. One that could not begin
    within the time of one run has failed: somebody waits for the answer."""
    room = asyncio.Semaphore(AT_ONCE)
    until = time.monotonic() + settings.RUN_DEADLINE_S

    async def tried(entry: Any, path: str) -> TriedTest:
        async with room:
            if time.monotonic() >= until:
                return TriedTest(_name_of(entry, path), False, TOO_LATE, _expect_of(entry))
            return await _try(bench, entry, path)

    listed = [(entry, f"tests[{index}]") for index, entry in enumerate(bench.tests)]
    wanted = [(entry, path) for entry, path in listed if names is None or _name_of(entry, path) in names]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(tried(entry, path)) for entry, path in wanted]
    return [task.result() for task in tasks]


async def _try(bench: Bench, entry: Any, path: str) -> TriedTest:
    test = expectations.read_test(entry, path)
    if isinstance(test, scaicore.Diagnostic):
        return TriedTest(_name_of(entry, path), False, test.message, _expect_of(entry))
    said = await _ask(bench.program, test)
    unmet = await _find_unmet(test, said)
    passed = not said.problem and not unmet
    live = None if passed or bench.live is None else await _ask(bench.live, test)
    return TriedTest(
        test.name,
        passed,
        said.problem or " ".join(each.message for each in unmet),
        _expect_of(entry),
        said.text,
        live.text if live else None,
        unmet,
        said.request_id,
        said.usage,
    )


async def _ask(program: TriedProgram, test: FlowTest) -> Said:
    request_id = ids.new("req")
    try:
        shown = await answers.try_out(program.call(test.call | {"stream": False}), request_id)
    except Exception as error:
        return Said(request_id, problem=f"It did not run: {responses.refusal_for(error, request_id).message}")
    if shown["outcome"] != Outcome.OK:
        return Said(request_id, problem=_explain(shown))
    return Said(request_id, shown["output"], shown["usage"])


async def _find_unmet(test: FlowTest, said: Said) -> list[UnmetExpectation]:
    if said.output is None or said.text is None:
        return []
    # A condition or a schema may take a moment on a long answer, during which others' calls go on.
    return await asyncio.to_thread(expectations.find_unmet, test.expect, said.output, said.text)


def _explain(shown: Mapping[str, Any]) -> str:
    """Why a run failed: at which node, if one says so."""
    failed = [node for node in shown["nodes"] if node.error]
    if not failed:
        return str(shown["error"]["message"])
    reason = REASONS.get(failed[-1].error, shown["error"]["message"])
    return f"Node `{failed[-1].id}` failed: {reason}"


def _name_of(entry: Any, path: str) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) and name else path


def _expect_of(entry: Any) -> dict[str, Any]:
    expect = entry.get("expect") if isinstance(entry, dict) else None
    return expect if isinstance(expect, dict) else {}


def as_data(tests: list[TriedTest]) -> list[dict[str, Any]]:
    """The outcomes as plain JSON data."""
    data: list[dict[str, Any]] = msgspec.to_builtins(tests)
    return data

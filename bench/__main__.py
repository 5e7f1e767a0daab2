"""`make bench`: what a call costs here, beside a bare server and two peers, all on one core in one run.

Every scenario is measured for all servers in turn, round by round, so that a machine whose speed drifts treats them
alike; figures are medians of the rounds. `--write` puts the tables and the picture into docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psutil
from django.utils import timezone

from bench import field, first_token, report, servers, turns
from bench.load import Result, measure

ROUNDS: Final = 3
SENTENCE: Final = "The quick brown fox jumps over the lazy dog, and nobody minds. "


@dataclass(frozen=True)
class Scenario:
    """A kind of call: which messages, whole or streamed, from how many connections."""

    name: str
    messages: list[dict[str, str]]
    connections: int
    is_streamed: bool = False

    def body(self, model: str, is_streamed: bool) -> bytes:
        """The request's body for a model."""
        stream = {"stream": True} if is_streamed else {}
        return json.dumps({"model": model, "messages": self.messages} | stream).encode()


def _said(text: str, turns: int = 1) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[number % 2], "content": text} for number in range(2 * turns - 1)]


SMALL: Final = _said("hello")
LONG: Final = _said(SENTENCE * 128)
CHAT: Final = [*_said(SENTENCE * 5, 10), {"role": "user", "content": "hello"}]
SCENARIOS: Final = [
    Scenario("small", SMALL, 16),
    Scenario("small", SMALL, 1),
    Scenario("small", SMALL, 64),
    Scenario("8 KB", LONG, 16),
    Scenario("20 messages, 6 KB", CHAT, 16),
    Scenario("small, streamed", SMALL, 16, is_streamed=True),
]
STREAMS: Final = Scenario("200 small pieces, streamed", SMALL, 64, is_streamed=True)


def main() -> None:
    """Measure, print, and write the page if asked."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each server is called in each round")
    parser.add_argument("--write", action="store_true", help="put the result into docs/performance.md")
    options = parser.parse_args()

    servers.install()
    key = demo_key()
    cores = field.Cores()
    page = report.Page()
    with field.echoes(cores, key) as entrants:
        for scenario in SCENARIOS:
            page.add_calls(scenario.name, scenario.connections, _measured(scenario, entrants, options.seconds))
        page.add_figures("Memory after this load", {one.name: f"{_resident_mb(one.pid):.0f} MB" for one in entrants})
    with field.relays(cores, key, first_token.publish) as entrants:
        page.add_streams(STREAMS.connections, _measured(STREAMS, entrants, options.seconds))
    page.add_figures("The first word of a model", first_token.measured(cores, key))
    page.add_figures("Memory of a conversation", turns.measured(cores, options.seconds))
    if options.write:
        page.write()


def demo_key() -> str:
    """The demo tenant in the fresh installation, and a key that may call its echo."""
    # The models can be imported once the installation is there.
    from publishing import demo  # noqa: PLC0415

    made = demo.prepare(at=timezone.now())
    assert made.key is not None
    return made.key


def _measured(scenario: Scenario, entrants: list[field.Entrant], seconds: float) -> dict[str, report.Row]:
    results: dict[str, list[Result]] = {entrant.name: [] for entrant in entrants}
    for _ in range(ROUNDS):
        for entrant in entrants:
            call = entrant.call(scenario.body, is_streamed=scenario.is_streamed and entrant.name != field.BARE)
            results[entrant.name].append(asyncio.run(measure(call, connections=scenario.connections, seconds=seconds)))
    return {name: _row(found) for name, found in results.items()}


def _row(found: list[Result]) -> report.Row:
    """The median of each figure over the rounds."""

    def median(figure: Callable[[Result], float]) -> float:
        return statistics.median(figure(result) for result in found)

    return report.Row(
        rate=median(lambda result: result.rate),
        rates=[result.rate for result in found],
        p50_ms=median(lambda result: result.latency_ms(0.5)),
        p99_ms=median(lambda result: result.latency_ms(0.99)),
        word_rate=median(lambda result: result.word_rate),
        word_rates=[result.word_rate for result in found],
        first_word_ms=median(lambda result: result.first_word_ms(0.5)),
        failures=sum(result.failures for result in found),
    )


def _resident_mb(pid: int) -> float:
    """What a server holds in memory, its children included."""
    process = psutil.Process(pid)
    return float(sum(one.memory_info().rss for one in [process, *process.children(recursive=True)])) / 1e6


if __name__ == "__main__":
    main()

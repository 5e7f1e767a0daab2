"""`make faults`: turns from two processes, processes killed in the middle of them, ten times the load, streams whose
server ends, hostile callers, a database that fails, one whose tables change under callers, and the sums of it all."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import requests
from django.db import connection
from django.utils import timezone

from bench import servers

if TYPE_CHECKING:
    from publishing.models import Core

ROUNDS = 20
TURNS = 50


def main() -> None:
    """Run all parts and print the figures; a broken promise ends with an error."""
    servers.install()
    core, key = _counter()
    with servers.running(servers.start_site()) as steady:
        with servers.running(servers.start_site()) as other:
            _race(core, key, [steady, other])
        _kills(core, key, steady)
    _overload(key)
    _streams()
    _hostile()
    _database(key)
    _migration(key)
    _sums()


def _counter() -> tuple[Core, str]:
    # The models can be imported once the installation is there.
    from bench import counting  # noqa: PLC0415
    from publishing import demo  # noqa: PLC0415

    demo.prepare(at=timezone.now())
    return counting.deploy()


def _overload(key: str) -> None:
    from bench import overload  # noqa: PLC0415

    overload.run(key)


def _streams() -> None:
    from bench import stream_faults  # noqa: PLC0415

    stream_faults.run()


def _hostile() -> None:
    from bench import hostile_callers  # noqa: PLC0415

    hostile_callers.run()


def _database(key: str) -> None:
    from bench import database_faults  # noqa: PLC0415

    database_faults.run(key)
    connection.close()  # it ended with the server of the database


def _migration(key: str) -> None:
    from bench import migration_faults  # noqa: PLC0415

    migration_faults.run(key)


def _sums() -> None:
    """Whatever happened, the sums of usage are those of the records that were written."""
    from chatapi.daily_usage import rebuilding  # noqa: PLC0415
    from chatapi.models import UsageRecord  # noqa: PLC0415

    wrong = {day: rebuilding.count_wrong(day) for day in rebuilding.days_with_records()}
    assert not any(wrong.values()), wrong
    print(f"{UsageRecord.objects.count()} runs recorded through all of this, and the sums of their days agree")


def _race(core: Core, key: str, urls: list[str]) -> None:
    """Concurrent turns on one entity from two processes."""
    started = time.monotonic()
    with ThreadPoolExecutor(TURNS) as pool:
        seen = [int(reply or "0") for reply in pool.map(lambda n: _say(urls[n % 2], key, "race"), range(TURNS))]
    turns = _turns(core, "race")
    assert sorted(seen) == list(range(1, TURNS + 1)), sorted(seen)
    assert turns == [(number, str(number)) for number in range(1, TURNS + 1)], turns
    print(
        f"{TURNS} concurrent turns on one entity from 2 processes: {len(set(seen))} answers, {len(turns)} turns, "
        f"in order, {time.monotonic() - started:.1f} s"
    )


def _kills(core: Core, key: str, steady: str) -> None:
    """A process is killed at a random moment while callers turn on one entity; another process goes on."""
    complete = broken = 0
    longest_s = 0.0
    for round_number in range(ROUNDS):
        entity, victim = f"kill-{round_number}", servers.start_site()
        seen, failures = _until_killed(victim, key, entity)
        started = time.monotonic()
        after = _say(steady, key, entity)
        longest_s = max(longest_s, time.monotonic() - started)
        turns = _turns(core, entity)
        assert after is not None, "the entity did not become usable again"
        assert turns == [(number, str(number)) for number, _ in turns], turns
        assert len(set(seen)) == len(seen), "an answer was given twice"
        assert set(seen) <= {number for number, _ in turns}, "an answer that a caller saw is not in the memory"
        assert int(after) == len(turns)
        complete, broken = complete + len(seen), broken + failures
    print(
        f"kill -9 at a random moment, {ROUNDS} rounds: {complete} complete answers, all in the memory; "
        f"{broken} calls broken off; no half turn; usable again after at most {longest_s:.1f} s"
    )


def _until_killed(victim: servers.Running, key: str, entity: str) -> tuple[list[int], int]:
    seen: list[int] = []
    failures: list[int] = []
    killed = threading.Event()

    def call_on() -> None:
        while not killed.is_set():
            reply = _say(victim.url, key, entity)
            (failures if reply is None else seen).append(int(reply or 0))

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(call_on)
        time.sleep(random.uniform(0.05, 0.6))  # noqa: S311  any moment will do
        victim.kill()
        killed.set()
    return seen, len(failures)


def _say(url: str, key: str, entity: str) -> str | None:
    """The answer to one turn; None when it did not come whole."""
    body = {
        "model": "scaicore/acme/counter",
        "messages": [{"role": "user", "content": "count"}],
        "entity_id": entity,
    }
    headers = {"authorization": f"Bearer {key}"}
    try:
        answer = requests.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=60)
        return str(answer.json()["choices"][0]["message"]["content"]) if answer.ok else None
    except requests.RequestException:
        return None


def _turns(core: Core, entity: str) -> list[tuple[int, str]]:
    memory = core.entities.filter(entity_id=entity).first()
    if memory is None:
        return []
    turns = list(memory.turns.order_by("number").values_list("number", "response"))
    assert memory.state.get("count", 0) == len(turns), "state and turns differ"
    return turns


if __name__ == "__main__":
    main()

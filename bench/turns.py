"""What a durable turn of an entity costs, beside a bare UPDATE through the same driver."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import Final

import psycopg

from bench import field, servers
from bench.load import Call, measure

WRITERS: Final = 16


def measured(cores: field.Cores, seconds: float) -> dict[str, str]:
    """Turns of many entities per second, the UPDATEs that the driver makes in the same time, and their ratio."""
    # The models can be imported once the installation is there.
    from bench import counting  # noqa: PLC0415

    _, key = counting.deploy()
    with servers.running(servers.start_site(pin=cores.pin)) as url:
        turns = asyncio.run(_turns(url, key, seconds))
    updates = asyncio.run(_updates(seconds))
    return {
        f"turns/s, {WRITERS} entities at once": f"{turns:,.0f}",
        f"bare UPDATEs/s, {WRITERS} connections": f"{updates:,.0f}",
        "ratio": f"{turns / updates:.2f}",
    }


async def _turns(url: str, key: str, seconds: float) -> float:
    def call(entity: int) -> Call:
        message = {"role": "user", "content": "count"}
        body = {"model": "scaicore/acme/counter", "messages": [message], "entity_id": f"bench-{entity}"}
        return Call(f"{url}/v1/chat/completions", key, json.dumps(body).encode())

    loads = [measure(call(entity), connections=1, seconds=seconds) for entity in range(WRITERS)]
    return sum(result.rate for result in await asyncio.gather(*loads))


async def _updates(seconds: float) -> float:
    url = os.environ["DATABASE_URL"]
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS bench_rows (id int PRIMARY KEY, value text)")
        await connection.execute(
            "INSERT INTO bench_rows SELECT n, '' FROM generate_series(1, %s) n ON CONFLICT DO NOTHING", [WRITERS]
        )
    until = time.perf_counter() + seconds

    async def write(row: int) -> int:
        count = 0
        async with await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=0) as connection:
            while time.perf_counter() < until:
                await connection.execute("UPDATE bench_rows SET value = %s WHERE id = %s", [str(count), row])
                count += 1
        return count

    counts = await asyncio.gather(*[write(row + 1) for row in range(WRITERS)])
    return sum(counts) / seconds

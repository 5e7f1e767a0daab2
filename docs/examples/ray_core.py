"""A remote Core on Ray Serve: heavy work on as many machines as a Ray cluster has, behind a name of ScaiGrid.

    pip install "ray[serve]"
    SCAI_SECRET=a-secret-of-sixteen-signs python ray_core.py --port 8100

Then make the Core (docs/remote.md) with `http://this.machine:8100/primes` as its `url` and the same secret. Ray opens
more ports than this one, some on all addresses: keep the cluster in a network of its own.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import ray
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse
from ray import serve
from ray.serve.handle import DeploymentHandle

OLDEST_S = 300
STEP = 20_000
app = FastAPI()


# Above what uses it: Ray takes the class along to its workers as it stands where it is decorated.
def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"


@serve.deployment(num_replicas=2, ray_actor_options={"num_cpus": 0.5})
class Worker:
    """The heavy part, in processes of its own: how many primes there are in a range."""

    def count(self, start: int, end: int) -> int:
        """The primes from `start` up to `end`."""
        return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(max(start, 2), end))


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
@serve.ingress(app)
class Primes:
    """What ScaiGrid calls: checks that it is ScaiGrid, spreads the work, and tells of it as it goes."""

    def __init__(self, worker: DeploymentHandle, secret: str) -> None:
        self._worker, self._secret = worker, secret

    @app.post("/primes")
    async def answer(self, request: Request) -> StreamingResponse:
        """A number in the message: how many primes there are below it."""
        body = await request.body()
        self._check(request, body)
        return StreamingResponse(self._events(json.loads(body)), media_type="text/event-stream")

    def _check(self, request: Request, body: bytes) -> None:
        timestamp = request.headers.get("x-scai-timestamp", "")
        wanted = hmac.new(self._secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        is_fresh = timestamp.isdigit() and abs(time.time() - int(timestamp)) < OLDEST_S
        if not is_fresh or not hmac.compare_digest(request.headers.get("x-scai-signature", ""), f"sha256={wanted}"):
            raise HTTPException(401, "The signature is not ours.")

    async def _events(self, call: dict[str, Any]) -> AsyncIterator[str]:
        found = re.search(r"\d{1,6}", call["input"].get("message", ""))
        end = int(found[0]) if found else 100
        total, asked = 0, int(call["state"].get("asked", 0)) + 1
        ranges = [(start, min(start + STEP, end)) for start in range(0, end, STEP)]
        for next_one in asyncio.as_completed([self._count(*one) for one in ranges]):
            total += await next_one
            yield _event({"delta": "."})
        text = f" {total} primes below {end}. You asked {asked} times."
        yield _event({"delta": text})
        yield _event({"state": {"asked": asked}})
        yield "data: [DONE]\n\n"

    async def _count(self, start: int, end: int) -> int:
        return int(await self._worker.count.remote(start, end))


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8100)
    port = parser.parse_args().port
    ray.init(include_dashboard=False, _node_ip_address="127.0.0.1", logging_level="ERROR")
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(Primes.bind(Worker.bind(), os.environ["SCAI_SECRET"]), name="primes", route_prefix="/")
    print(f"Serving http://127.0.0.1:{port}/primes", flush=True)
    try:
        while True:
            time.sleep(3600)
    finally:
        serve.shutdown()
        ray.shutdown()


if __name__ == "__main__":
    main()

"""`python -m bench.growth`: what a growing installation costs whoever uses it.

A tenant of a thousand users and a thousand publications is measured alone, and again beside a million users, ten
thousand groups and a hundred thousand publications of other tenants. The audience is that of a publication restricted
to a group; in the large installation it belongs to a tenant of a hundred thousand users. Medians, in milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bench import servers

if TYPE_CHECKING:
    from django.test import Client

CALLS: Final = 300
PAGES: Final = 5
PATIENCE_MS: Final = 5_000.0  # what is slower than this is not asked for again
SMALL: Final = {"users": 1_000, "groups": 100, "publications": 1_000, "entries": 10_000}
# Ten tenants of this size come beside it.
LARGE: Final = {"users": 100_000, "groups": 1_000, "publications": 10_000, "entries": 10_000}
MODEL: Final = "scaicore/acme/echo-agent"


def main() -> None:
    """Seed, measure, grow, measure again, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--tenants", type=int, default=10, help="of 100,000 users each, beside the measured one")
    options = parser.parse_args()
    servers.install()
    # The models can be imported once the installation is there.
    from django.test.utils import setup_test_environment  # noqa: PLC0415

    from bench import __main__ as comparison  # noqa: PLC0415
    from bench import seed  # noqa: PLC0415
    from identity.models import Tenant  # noqa: PLC0415

    key = comparison.demo_key()
    setup_test_environment()
    seed.fill("acme", **SMALL)
    before = dict(_measured(key, "acme"))
    started = time.monotonic()
    for number in range(options.tenants):
        tenant = Tenant.objects.create(slug=f"large-{number}", name=f"Large {number}")
        seed.fill(tenant.pk, **LARGE)
    print(f"grown in {time.monotonic() - started:.0f} s")
    print(f"{'':52}{'10^3 users':>12}{'grown':>12}{'ratio':>8}")
    for name, took_ms in _measured(key, "large-0" if options.tenants else "acme"):
        print(f"{name:52}{before[name]:>9.2f} ms{took_ms:>9.2f} ms{took_ms / before[name]:>8.2f}", flush=True)


def _measured(key: str, audience_of: str) -> Iterator[tuple[str, float]]:
    from django.test import Client  # noqa: PLC0415

    from identity.models import User  # noqa: PLC0415
    from publishing import registry  # noqa: PLC0415
    from publishing.models import Publication  # noqa: PLC0415
    from tests.support import admin_pages  # noqa: PLC0415

    yield from asyncio.run(_calls(key)).items()
    restricted = Publication.objects.filter(tenant=audience_of, visibility="groups").first()
    assert restricted is not None
    yield "audience of a restricted publication", _median_ms(lambda: registry.audience(restricted).count())
    member = User.objects.get(email="ann@acme.test")
    yield "models that a user may call", _median_ms(lambda: list(registry.callable_by(member)))
    root, staff = Client(), Client()
    root.force_login(User.objects.get(email="root@acme.test"))
    superuser = User.objects.filter(email="sue@ops.test").first()
    staff.force_login(superuser or User.objects.create_superuser("sue@ops.test", tenant="acme"))
    for url in ("/usage/", "/models/", "/flows/", "/keys/"):
        yield f"page {url}", _median_ms(partial(_get, root, url))
    for url in admin_pages.lists():
        yield url, _median_ms(partial(_get, staff, url))


async def _calls(key: str) -> dict[str, float]:
    from chatapi import completions, model_list, usage  # noqa: PLC0415
    from publishing.db import pool  # noqa: PLC0415

    authorization = f"Bearer {key}"
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}).encode()
    found = {
        "call": await _median_of(lambda: completions.answer(authorization, {}, body), CALLS),
        "GET /v1/models": await _median_of(lambda: model_list.list_models(authorization, request_id="req_1"), 50),
    }
    await usage.flush()
    await pool.close()
    return found


async def _median_of(act: Callable[[], Awaitable[Any]], times: int) -> float:
    took = []
    for _ in range(times):
        started = time.perf_counter()
        answer = await act()
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status == 200, answer
    return statistics.median(took)


def _median_ms(act: Callable[[], object]) -> float:
    took: list[float] = []
    while len(took) < PAGES and sum(took) < PATIENCE_MS:
        started = time.perf_counter()
        act()
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


def _get(client: Client, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)


if __name__ == "__main__":
    main()

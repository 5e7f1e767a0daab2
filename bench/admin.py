"""`make bench-admin`: what every page of the admin takes in an installation of some size.

2,000 users, 300 groups (half of them nested), 500 publications and 100,000 audit entries, seeded by SQL. Each page is
asked for as staff would, without a browser, and the median of some answers is printed, the slowest page first.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from bench import seed, servers

if TYPE_CHECKING:
    from django.test import Client

CALLS: Final = 5
MOST_MS: Final = 300.0
USERS, GROUPS, PUBLICATIONS, ENTRIES = 2_000, 300, 500, 100_000


def main() -> None:
    """Seed, ask for every page, print."""
    servers.install()
    # The models can be imported once the installation is there.
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import setup_test_environment  # noqa: PLC0415

    from identity.models import User  # noqa: PLC0415
    from publishing import demo  # noqa: PLC0415
    from tests.support import admin_pages  # noqa: PLC0415

    demo.prepare(at=timezone.now())
    seed.fill("acme", users=USERS, groups=GROUPS, publications=PUBLICATIONS, entries=ENTRIES)
    staff = User.objects.create_superuser("sue@ops.test", tenant="acme")
    client = Client()
    client.force_login(staff)
    setup_test_environment()
    urls = [*admin_pages.lists(), *admin_pages.pages(client, is_whole=False)]
    found = {url: _median_ms(client, url) for url in urls}
    for url, took_ms in sorted(found.items(), key=lambda one: -one[1]):
        print(f"{took_ms:>8.0f} ms  {url}")
    slow = [url for url, took_ms in found.items() if took_ms > MOST_MS]
    print(f"{len(found)} pages, {len(slow)} of them slower than {MOST_MS:.0f} ms")
    sys.exit(bool(slow))


def _median_ms(client: Client, url: str) -> float:
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        answer = client.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()

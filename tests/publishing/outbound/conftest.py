"""The way out of the test's own process, to the scripted server alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from django.conf import LazySettings

from publishing import outbound, pool
from publishing.outbound import network
from publishing.tenant_http import TenantHttp
from scaicore.services import HttpAnswer, HttpCall, ServiceFailed
from tests.upstream import Upstream


@pytest_asyncio.fixture
async def outside(settings: LazySettings, upstream: Upstream) -> AsyncIterator[None]:
    """Lets the scripted server be called, and closes what the test opened in its event loop."""
    settings.OUTBOUND_ALLOWED_HOSTS = (f"127.0.0.1:{upstream.port}",)
    yield
    await outbound.close()
    await pool.close()


class Names:
    """A resolver under the test's control: each look-up of a name gives the next of its answers, then the last."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []

    def look_up(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in self.answers:
            raise OSError("no such name")
        answers = self.answers[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    monkeypatch.setattr(network, "look_up", names.look_up)
    return names


async def get(url: str, **more: object) -> HttpAnswer:
    """What the HTTP client of a tenant gets from `url`."""
    return await TenantHttp("acme").send(HttpCall("GET", url, **more))  # type: ignore[arg-type]


async def refused(url: str, **more: object) -> str:
    """Why `url` gives no answer."""
    with pytest.raises(ServiceFailed) as caught:
        await get(url, **more)
    return caught.value.reason


def now() -> float:
    return asyncio.get_running_loop().time()

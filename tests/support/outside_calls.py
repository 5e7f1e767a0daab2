"""Calls of the world outside from the test's own process, and a resolver under its control."""

from __future__ import annotations

import asyncio

import pytest

from publishing.clients.http import TenantHttpClient
from scaicore.services import HttpAnswer, HttpCall, ServiceFailed


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


async def get(url: str, **more: object) -> HttpAnswer:
    """What the HTTP client of a tenant gets from `url`."""
    return await TenantHttpClient("acme").send(HttpCall("GET", url, **more))  # type: ignore[arg-type]


async def refused(url: str, **more: object) -> str:
    """Why `url` gives no answer."""
    with pytest.raises(ServiceFailed) as caught:
        await get(url, **more)
    return caught.value.reason


def now() -> float:
    return asyncio.get_running_loop().time()

"""Limits of the tenant acme, and calls that take from them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async

from identity import keys
from identity.models import Tenant, User
from publishing import registry
from publishing.db import pool
from publishing.limits import SETTLE, Estimate, SettledRow
from publishing.registry import AccessDecision
from tests.support.limiting import make_limit

NAME = "scaicore/acme/echo-agent"
Limits = Callable[..., Any]


@pytest.fixture
def limit(acme: Tenant) -> Limits:
    """Makes a limit of acme."""
    return make_limit


@pytest.fixture
def anns_key(ann: User, key_of: Callable[[User], str]) -> str:
    return key_of(ann)


@pytest_asyncio.fixture
async def inside(transactional_db: None) -> AsyncIterator[None]:
    yield
    await pool.close()


async def reserve(secret: str, prompt: int = 10, completion: int = 0) -> AccessDecision:
    return await registry.reserve(keys.digest(secret), NAME, Estimate(prompt, completion))


def made(make: Callable[..., Any], *args: Any, **more: Any) -> Any:
    return sync_to_async(make)(*args, **more)


async def write(rows: list[SettledRow]) -> None:
    await pool.rows(SETTLE, [msgspec.json.encode(rows).decode()])

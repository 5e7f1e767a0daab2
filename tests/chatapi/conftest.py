"""Calls of the chat inside the test's own process, where a driver can be swapped and statements counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from chatapi import usage
from identity.models import User
from publishing.db import pool


@pytest_asyncio.fixture
async def inside(transactional_db: None) -> AsyncIterator[None]:
    """Closes what the call opened in the test's event loop."""
    yield
    await usage.flush()
    await pool.close()


@pytest.fixture
def anns_key(ann: User, key_of: Callable[[User], str]) -> str:
    return f"Bearer {key_of(ann)}"

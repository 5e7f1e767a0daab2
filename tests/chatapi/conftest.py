"""Calls of the chat inside the test's own process, where a driver can be swapped and statements counted; and a server
whose flows may call the scripted models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from django.conf import LazySettings
from django.utils import timezone

from chatapi import usage
from identity import actors
from identity.models import User
from publishing import actions
from publishing.db import pool
from tests.support import upstream
from tests.support.serving import Server, serving
from tests.support.upstream import Upstream


@pytest_asyncio.fixture
async def inside(transactional_db: None) -> AsyncIterator[None]:
    """Closes what the call opened in the test's event loop."""
    yield
    await usage.flush()
    await pool.close()


@pytest.fixture
def anns_key(ann: User, key_of: Callable[[User], str]) -> str:
    return f"Bearer {key_of(ann)}"


@pytest.fixture(scope="module")
def models() -> Iterator[Upstream]:
    with upstream.running() as running:
        yield running


@pytest.fixture(scope="module")
def thinking_process(models: Upstream, django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock(), serving(OUTBOUND_ALLOWED_HOSTS=f"127.0.0.1:{models.port}") as server:
        yield server


@pytest.fixture
def thinking(thinking_process: Server, provider: None) -> Server:
    """A server that may call the scripted models, and a provider of acme's that names them."""
    return thinking_process


@pytest.fixture
def provider(transactional_db: None, models: Upstream, root: User, settings: LazySettings) -> None:
    """A provider of acme's that names the scripted models."""
    models.forget()
    settings.OUTBOUND_ALLOWED_HOSTS = (f"127.0.0.1:{models.port}",)
    actions.create_provider(
        tenant=root.tenant,
        ref="scripted",
        base_url=models.base_url,
        api_key="sk-upstream",
        timeout_s=5,
        actor=actors.actor_of(root),
        at=timezone.now(),
    )

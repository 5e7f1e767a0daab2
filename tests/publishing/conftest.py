"""The cast as REST clients, and the way out of the test's own process, to the scripted server alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from django.conf import LazySettings

from identity.models import User
from publishing import outbound
from publishing.db import pool
from publishing.outbound import network
from tests.support.api_calls import Rest
from tests.support.outside_calls import Names
from tests.support.upstream import Upstream


@pytest.fixture
def as_root(root: User, key_of: Callable[[User], str]) -> Rest:
    return Rest(key_of(root))


@pytest.fixture
def as_ann(ann: User, key_of: Callable[[User], str]) -> Rest:
    return Rest(key_of(ann))


@pytest.fixture
def as_cy(cy: User, key_of: Callable[[User], str]) -> Rest:
    return Rest(key_of(cy))


@pytest_asyncio.fixture
async def outside(settings: LazySettings, upstream: Upstream) -> AsyncIterator[None]:
    """Lets the scripted server be called, and closes what the test opened in its event loop."""
    settings.OUTBOUND_ALLOWED_HOSTS = (f"127.0.0.1:{upstream.port}",)
    yield
    await outbound.close()
    await pool.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    monkeypatch.setattr(network, "look_up", names.look_up)
    return names

"""The cast at the REST doors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from identity.models import User
from tests.publishing.calls import Rest


@pytest.fixture
def as_root(root: User, key_of: Callable[[User], str]) -> Rest:
    return Rest(key_of(root))


@pytest.fixture
def as_ann(ann: User, key_of: Callable[[User], str]) -> Rest:
    return Rest(key_of(ann))


@pytest.fixture
def as_cy(cy: User, key_of: Callable[[User], str]) -> Rest:
    return Rest(key_of(cy))

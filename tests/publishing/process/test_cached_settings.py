"""A setting is read once, and anew when it has changed."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from publishing.process.cached_settings import settings as cached


def test_a_setting_that_a_test_changes_is_seen(settings: LazySettings) -> None:
    before = cached.MAX_RUNS
    settings.MAX_RUNS = before + 1
    assert before + 1 == cached.MAX_RUNS
    assert cached.__dict__["MAX_RUNS"] == before + 1


def test_a_setting_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(AttributeError):
        _ = cached.NO_SUCH_SETTING

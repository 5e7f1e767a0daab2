"""How often a server that dies is started again."""

from __future__ import annotations

import pytest

from scaigrid_site.postgres import NotStarted, watcher
from scaigrid_site.postgres.watcher import MOST_ATTEMPTS, Watcher
from tests.scaigrid_site.conftest import eventually


def test_a_server_that_cannot_be_started_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watcher, "LOOK_EVERY_S", 0.001)
    attempts: list[int] = []

    def start() -> None:
        attempts.append(1)
        raise NotStarted("the disk is full")

    looking = Watcher(lambda: False, start)
    looking.start()
    eventually(lambda: "postgres.given_up" in caplog.text)
    looking.stop()
    assert len(attempts) == MOST_ATTEMPTS
    assert caplog.text.count("postgres.not_started: the disk is full") == MOST_ATTEMPTS


def test_a_server_that_runs_for_long_between_its_deaths_is_never_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(watcher, "CALM_S", 0.0)
    lives, attempts = iter([False, True] * 3 * MOST_ATTEMPTS), []
    looking = Watcher(lambda: next(lives, True), lambda: attempts.append(1))
    looking.start()
    eventually(lambda: len(attempts) == 3 * MOST_ATTEMPTS)
    looking.stop()

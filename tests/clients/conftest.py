"""Programs of others against a real server, each in an interpreter of its own: `make clients` installs them first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("CLIENTS_PYTHON", ROOT / ".venv" / "clients" / "bin" / "python"))
SKIPPED = "client tests skipped: the clients are not installed (`make clients`)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the clients where they are not installed."""
    for item in items:
        if not PYTHON.exists() and item.path.name == "test_programs_of_others.py":
            item.add_marker(pytest.mark.skip(reason=SKIPPED))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say so in a line that nobody can miss."""
    if not PYTHON.exists():
        terminalreporter.write_line(SKIPPED, yellow=True)

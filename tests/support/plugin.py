"""Loaded before pytest-django reads the settings, so that tests find the embedded database like every command.

Two runs at once would empty each other's tables, so each takes a database of its own.
"""

import atexit
import fcntl
import logging
import os
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from scaigrid_site import bootstrap

is_given = bool(os.environ.get("DATABASE_URL"))
bootstrap.prepare(os.environ)
# The last line of the log comes when pytest has closed what it captures.
atexit.register(setattr, logging, "raiseExceptions", False)


def _own_name() -> str:
    """The first name that no other run holds; the lock lasts as long as this process."""
    for number in count(1):
        handle = os.open(data / f"tests-{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        return f"scaigrid_{number}"
    raise AssertionError("counting does not end")


if not is_given:
    data = Path(bootstrap.ROOT) / os.environ.get("SCAIGRID_DATA", ".data")
    os.environ["DATABASE_URL"] = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{_own_name()}").geturl()

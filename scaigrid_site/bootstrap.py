"""What every entry point does before Django starts: log lines, a data folder, a secret, a database."""

from __future__ import annotations

import os
import secrets
from collections.abc import MutableMapping
from contextlib import suppress
from logging.config import dictConfig
from pathlib import Path

from scaigrid_site import conf, logs, postgres

ROOT = Path(__file__).resolve().parent.parent


def prepare(environment: MutableMapping[str, str]) -> None:
    """Complete `environment`, so that this process and those it starts read the same settings.

    A database that cannot be started ends the program with a sentence.
    """
    environment.setdefault("DJANGO_SETTINGS_MODULE", "scaigrid_site.settings")
    settings = conf.read(environment)
    dictConfig(logs.config(level=settings.LOG_LEVEL, style=settings.LOG_FORMAT))
    data = ROOT / settings.SCAIGRID_DATA
    # A container may have nothing that can be written to, and need nothing.
    if not (settings.SECRET_KEY and settings.DATABASE_URL):
        data.mkdir(parents=True, exist_ok=True)
    if not settings.SECRET_KEY:
        environment["SECRET_KEY"] = _secret(data / "secret_key")
    if not settings.DATABASE_URL:
        try:
            environment["DATABASE_URL"] = postgres.attach(data)
        except postgres.NotStarted as error:
            raise SystemExit(str(error)) from None


def _secret(path: Path) -> str:
    """The secret in `path`, made by the first process that asks; a link makes it appear whole or not at all."""
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()

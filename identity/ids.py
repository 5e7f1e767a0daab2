"""Identifiers that people read aloud: a prefix that names the kind, then twelve random characters."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def new(prefix: str) -> str:
    """A fresh identifier such as `core_9x2k…` (62 random bits)."""
    return prefix + "_" + "".join(secrets.choice(ALPHABET) for _ in range(12))


def user_id() -> str:
    """A fresh `user_…`."""
    return new("user")


def apikey_id() -> str:
    """A fresh `apikey_…`."""
    return new("apikey")

"""Identifiers: a prefix that names the kind, then sixteen random hexadecimal digits."""

from __future__ import annotations

import os


def new(prefix: str) -> str:
    """A fresh identifier such as `core_9f3a…` (64 random bits). Cheap: a chat call makes two."""
    return f"{prefix}_{os.urandom(8).hex()}"


def user_id() -> str:
    """A fresh `user_…`."""
    return new("user")


def apikey_id() -> str:
    """A fresh `apikey_…`."""
    return new("apikey")

"""Secrets at rest: sealed with AES-256-GCM under a key that is derived from `SECRET_KEY`.

A sealed text names the key that sealed it, so `SECRET_KEY` can be changed: what an earlier one sealed is readable as
long as `SECRET_KEY_FALLBACKS` lists that one, and `manage.py reseal` seals it again under the new one.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_FORMAT: Final = b"\x01"
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = len(_FORMAT) + _ID_BYTES


class Unreadable(Exception):
    """No key of this installation opens the sealed text, or it was sealed for another row."""


class _Key(NamedTuple):
    """A key and the four bytes by which sealed texts name it."""

    id: bytes
    cipher: AESGCM


def seal(text: str, *, context: str) -> bytes:
    """`text` sealed for `context`, which names the row that holds it: copied into another row it does not open."""
    key = _derived(settings.SECRET_KEY)
    nonce = os.urandom(_NONCE_BYTES)
    return _FORMAT + key.id + nonce + key.cipher.encrypt(nonce, text.encode(), context.encode())


def unseal(sealed: bytes, *, context: str) -> str:
    """The text that was sealed for `context`. Raises `Unreadable`."""
    head, nonce, rest = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:][:_NONCE_BYTES], sealed[_HEAD_BYTES + _NONCE_BYTES :]
    for key in map(_derived, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)):
        if head == _FORMAT + key.id:
            try:
                return key.cipher.decrypt(nonce, rest, context.encode()).decode()
            except (InvalidTag, ValueError):
                break
    raise Unreadable


def is_current(sealed: bytes) -> bool:
    """Whether `SECRET_KEY` itself sealed this."""
    return sealed[:_HEAD_BYTES] == _FORMAT + _derived(settings.SECRET_KEY).id


@lru_cache(maxsize=8)
def _derived(secret: str) -> _Key:
    found = HKDF(SHA256(), 32 + _ID_BYTES, salt=None, info=b"scaigrid publish: secrets at rest").derive(secret.encode())
    return _Key(found[32:], AESGCM(found[:32]))

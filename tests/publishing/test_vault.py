"""Secrets at rest."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from publishing import vault

CONTEXT = "provider acme house"


def test_what_is_sealed_opens_in_its_place_and_shows_nothing() -> None:
    sealed = vault.seal("sk-ünique", context=CONTEXT)
    assert vault.unseal(sealed, context=CONTEXT) == "sk-ünique"
    assert b"sk-" not in sealed
    assert sealed != vault.seal("sk-ünique", context=CONTEXT)


def test_it_does_not_open_in_another_place() -> None:
    with pytest.raises(vault.Unreadable):
        vault.unseal(vault.seal("sk", context=CONTEXT), context="provider globex house")


@pytest.mark.parametrize("place", range(0, 40, 3))
def test_a_changed_byte_is_noticed(place: int) -> None:
    sealed = bytearray(vault.seal("a secret of some length", context=CONTEXT))
    sealed[place] ^= 1
    with pytest.raises(vault.Unreadable):
        vault.unseal(bytes(sealed), context=CONTEXT)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" * 17, b"plain text"])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(vault.Unreadable):
        vault.unseal(sealed, context=CONTEXT)


def test_an_earlier_key_opens_what_it_sealed_as_long_as_it_is_kept(settings: LazySettings) -> None:
    sealed, earlier = vault.seal("sk", context=CONTEXT), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [earlier]
    assert vault.unseal(sealed, context=CONTEXT) == "sk"
    assert not vault.is_current(sealed)
    assert vault.is_current(vault.seal("sk", context=CONTEXT))
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(vault.Unreadable):
        vault.unseal(sealed, context=CONTEXT)

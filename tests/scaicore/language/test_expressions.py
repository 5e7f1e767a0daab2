"""Expressions: CEL over the scope, with plain data in and out and a bounded cost."""

import math
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaicore.errors import RunFailed, SourceUnreadable
from scaicore.language.expressions import Expression, verify
from tests.support.timing import within

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)
WILD = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(st.characters()) | st.binary() | st.just(object()) | st.just({1}),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
)


def evaluate(source, **scope):
    """As a deploy and then a run: an expression that passes the first must be read by the second."""
    verify(source)
    return Expression(source).evaluate(scope)


def reason(source, **scope):
    with pytest.raises(RunFailed) as failed:
        Expression(source).evaluate(scope)
    return failed.value.reason


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("message == 'hi'", True),
        ("state.count + 1", 3),
        ("has(params.seed) ? params.seed : 0", 0),
        ("messages.filter(m, m.role == 'user').size()", 1),
        ("messages[0].content", "hi"),
        ("{'a': message, 'b': [1, 2.5]}", {"a": "hi", "b": [1, 2.5]}),
        ("nothing_sent == null", True),
        ("timestamp('2026-01-02T03:04:05Z')", "2026-01-02T03:04:05+00:00"),
        ("duration('90s')", 90),
        ("{2: 'a', true: 'b'}", {"2": "a", "true": "b"}),
        ("message.matches('^h')", True),
        ("r'\\d' + \"'\"", "\\d'"),
        ("message // a remark", "hi"),
        ("[3].map(message, message)", [3]),
        (".message", "hi"),
        ("'count' in .state", True),
    ],
)
def test_expressions_read_the_scope(source, value):
    scope = {"message": "hi", "messages": [{"role": "user", "content": "hi"}], "params": {}, "state": {"count": 2}}
    assert evaluate(source, **scope) == value


@given(PLAIN)
def test_plain_data_passes_through_unchanged(value):
    assert evaluate("message", message=value) == value


@settings(max_examples=300)
@given(WILD)
def test_anything_else_is_a_failure_and_not_a_crash(value):
    try:
        evaluate("message", message=value)
    except RunFailed as failed:
        assert failed.reason in ("expression_failed", "not_plain_data", "expression_too_costly")


@pytest.mark.parametrize("value", ["\ud800", ["\ud800"], 10**30, object(), (1,)])
def test_what_the_engine_does_not_know_is_a_failure(value):
    assert reason("message", message=value) == "expression_failed"


@pytest.mark.parametrize(
    "source", ["1 / 0", "message.ghost", "int(message)", "message + 1", "[1][5]", "string(message.x)"]
)
def test_what_cannot_be_evaluated_is_a_failure(source):
    assert reason(source, message="secret") == "expression_failed"


@pytest.mark.parametrize("source", ["b'x'", "1.0 / 0.0", "type(1)"])
def test_what_is_not_json_is_a_failure(source):
    assert reason(source) == "not_plain_data"


def test_a_failure_says_nothing_of_the_input():
    with pytest.raises(RunFailed) as failed:
        evaluate("int(message)", message="secret-text")
    assert "secret" not in str(failed.value) + failed.value.detail + repr(failed.value.__cause__)


def test_a_condition_must_be_true_or_false():
    with pytest.raises(RunFailed) as failed:
        Expression("message").holds({"message": "yes"})
    assert failed.value.reason == "expression_not_boolean"
    assert verify("message")
    assert not verify("1 + 1")


@pytest.mark.parametrize(
    "source", ["", "1 +", "nope(1)", "'a' + 1", "\ud800", "a\0b", "x" * 2001, "message.matches(p)", "[1"]
)
def test_an_unreadable_expression_says_so(source):
    with pytest.raises(SourceUnreadable):
        verify(source)


PIECES = ["a", ".", "(", ")", "[", "]", "'x'", "map(", "all(", ",", "+", "1", "==", "r'", '"', "/"]


@given(st.text(st.characters(), max_size=40) | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_read_or_refused(source):
    with suppress(SourceUnreadable, RunFailed):
        evaluate(source, a=[1, "x"])


TEN = "[1,2,3,4,5,6,7,8,9,10]"
BOMBS = {
    "chained doubling": "[message]" + ".map(x, x + x)" * 8,
    "shared doubling": "['a']" + ".map(x, [x,x,x,x,x,x,x,x])" * 8 + " == [message]",
    "copies of its own result": "messages.map(x, x)",
    "copies in a loop": "messages.map(x, messages)",
    "hidden by a dot": "messages.map(x, .messages) == messages",
    "hidden by a remark": "messages.map // (\n (x, messages)",
    "nested loops": "messages.all(x, messages.all(y, messages.all(z, x == y || y == z || messages == [])))",
    "growth in nested loops": f"{TEN}.map(a, {TEN}.map(b, {TEN}.map(c, message + message)))",
    "regular expression": "message.matches('(a|b){0,900}c')",
    "many reads": "[" + ",".join(["message + message"] * 100) + "]",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_in_no_time(bomb):
    with within(1):
        scope = {"message": "ab" * 500_000, "messages": list(range(9_000))}
        assert reason(BOMBS[bomb], **scope) in ("expression_too_costly", "expression_failed")


def test_a_pattern_counts_as_often_as_it_repeats():
    assert reason("message.matches('(a|b){0,900}c')", message="ab" * 10_000) == "expression_too_costly"
    assert evaluate("message.matches('(a|b){0,9}c')", message="ab" * 10_000) is False


def test_more_loops_than_an_expression_may_have_are_refused():
    with pytest.raises(SourceUnreadable, match="at most 8"):
        Expression("[1]" + ".map(x, x)" * 9)


def test_data_that_nests_too_deeply_never_reaches_the_engine():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert reason("size(message)", message=deep) == "not_plain_data"


@pytest.mark.parametrize("value", ["a\0b", ["a\0b"], {"a\0b": 1}])
def test_text_with_a_nul_is_refused_since_the_engine_would_cut_it_there(value):
    assert reason("message", message=value) == "not_plain_data"


def test_honest_work_on_a_long_conversation_is_not_refused():
    messages = [{"role": "user", "content": "word " * 500}] * 400
    source = "messages.filter(m, m.role == 'user' && m.content.contains(message)).size() > 3"
    assert Expression(source).holds({"messages": messages, "message": "word " * 200}) is True


def test_numbers_stay_numbers():
    assert math.isclose(evaluate("params.t * 2.0", params={"t": 0.7}), 1.4)
    assert evaluate("params.t == 1", params={"t": 1.0}) is True

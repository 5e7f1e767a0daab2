"""Tests that a document holds: which entries are tests, and which answers meet what they expect."""

from __future__ import annotations

from typing import Any

import pytest

from scaicore import Diagnostic
from scaicore.expectations import FlowTest, find_unmet, read_test
from tests.support.documents import chain, codes, entry, says


def wanted(**expect: Any) -> dict[str, Any]:
    return {"name": "greets", "message": "hello", "expect": expect}


def unmet(response: Any, text: str = "", **expect: Any) -> list[str]:
    test = read_test(wanted(**expect), "tests[0]")
    assert isinstance(test, FlowTest), test
    return [each.expectation for each in find_unmet(test.expect, {"response": response}, text or str(response))]


@pytest.mark.parametrize(
    ("expect", "response"),
    [
        ({"equals": "hello"}, "hello"),
        ({"contains": "ell"}, "hello"),
        ({"contains": ["he", "lo"]}, "hello"),
        ({"matches": r"^h\w+o$"}, "hello"),
        ({"matches": '"quoted" \\\\ and ü'}, 'a "quoted" \\ and ü'),
        ({"cel": "response.size() == 5 && output.response == 'hello'"}, "hello"),
        ({"schema": {"type": "object", "required": ["a"]}}, '{"a": 1}'),
    ],
)
def test_an_answer_that_is_as_expected_passes(expect: dict[str, Any], response: str) -> None:
    assert unmet(response, **expect) == []


@pytest.mark.parametrize(
    "expect",
    [
        {"equals": "hell"},
        {"contains": ["he", "xx"]},
        {"matches": "^ello"},
        {"cel": "response == 'x'"},
        {"cel": "output.nothing.here > 3"},
        {"schema": {"type": "object"}},
    ],
)
def test_an_answer_that_is_not_is_told_by_what_it_misses(expect: dict[str, Any]) -> None:
    assert unmet("hello", **expect) == list(expect)


def test_everything_that_is_expected_must_hold() -> None:
    assert unmet("hello", equals="hello", contains="x", matches="y") == ["contains", "matches"]


def test_a_response_that_is_data_is_compared_as_data() -> None:
    assert unmet({"a": [1]}, '{"a":[1]}', equals={"a": [1]}, schema={"required": ["a"]}) == []
    assert unmet({"a": [1]}, '{"a":[1]}', equals={"a": [2]}) == ["equals"]
    assert unmet(None, "null", equals=None) == []


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("not a test", "tests[3]"),
        ({"name": "x", "message": "hi"}, "tests[3]"),
        ({"name": "x", "expect": {"equals": "a"}}, "tests[3]"),
        ({"name": "x", "message": "hi", "input": {}, "expect": {"equals": "a"}}, "tests[3]"),
        (wanted(), "tests[3].expect"),
        (wanted(equals="a", equal="b"), "tests[3]"),
        (wanted(matches="("), "tests[3].expect.matches"),
        (wanted(matches="(?=a)b"), "tests[3].expect.matches"),
        (wanted(cel="1 +"), "tests[3].expect.cel"),
        (wanted(cel="'text'"), "tests[3].expect.cel"),
        (wanted(cel="message == 'x'"), "tests[3].expect.cel"),
        (wanted(schema={"type": "odd"}), "tests[3].expect.schema"),
    ],
)
def test_an_entry_that_is_no_test_is_told_at_its_place(entry: Any, place: str) -> None:
    found = read_test(entry, "tests[3]")
    assert isinstance(found, Diagnostic)
    assert (found.severity, found.code, found.path) == ("warning", "test_unusable", place)


def test_a_compile_warns_of_it_and_gives_a_program_all_the_same() -> None:
    document = chain(entry(), says("reply", "hi", result_binding="response"))
    assert codes({**document, "tests": [wanted(equals="hi")]}) == []
    assert codes({**document, "tests": [wanted(equals="hi"), wanted(), 7]}) == ["test_unusable"] * 2
    assert codes({**document, "tests": [wanted(equals="hi")] * 201}) == ["too_large"]


def test_a_pattern_that_would_backtrack_for_ever_ends_in_time() -> None:
    assert unmet("a" * 5_000, matches="(a+)+$x") == ["matches"]

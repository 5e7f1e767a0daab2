"""Schemas of a flow's author: what they may be, and that reading an answer always ends."""

import pytest

from scaicore.errors import SourceUnreadable
from scaicore.language.json_schemas import AnswerSchema
from tests.support.timing import within

DOUBLING = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(40)}


@pytest.mark.parametrize(
    "source",
    [
        {"type": 7},
        {"properties": {"a": {"pattern": "(a+)+$"}}},
        {"items": {"patternProperties": {"(a+)+$": {}}}},
        {"$defs": {"a": {"uniqueItems": True}}},
        {"$ref": "https://example.com/schema"},
        {"$ref": "#/$defs/ghost"},
        {"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"},
        {"$defs": {**DOUBLING, "d40": {}}, "$ref": "#/$defs/d0"},
        {"$defs": {f"a{i}": {"$ref": f"#/$defs/a{i + 1}"} for i in range(1500)} | {"a1500": {}}, "$ref": "#/$defs/a0"},
        {"enum": ["x" * 65_000]},
    ],
    ids=["type", "pattern", "pattern names", "unique", "remote", "nowhere", "circle", "doubling", "long", "large"],
)
def test_a_schema_that_could_keep_the_process_busy_is_refused(source):
    with within(2), pytest.raises(SourceUnreadable):
        AnswerSchema(source)


def test_a_schema_as_common_tools_write_it_is_read():
    source = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Order",
        "type": "object",
        "$defs": {"Line": {"type": "object", "properties": {"pattern": {"type": "string"}}, "required": ["pattern"]}},
        "properties": {"lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}}, "kind": {"enum": ["a", "b"]}},
        "required": ["lines"],
        "additionalProperties": False,
    }
    schema = AnswerSchema(source)
    assert schema.read('{"lines": [{"pattern": "x"}]}') == ({"lines": [{"pattern": "x"}]}, "")
    assert "additional" in schema.read('{"lines": [], "more": 1}')[1].lower()


def test_a_huge_answer_is_judged_in_bounded_time():
    schema = AnswerSchema({"type": "array", "items": {"type": "object", "properties": {"a": {"enum": ["x"]}}}})
    with within(20):
        assert schema.read("[" + ",".join(['{"a": "x"}'] * 40_000) + "]")[1] == ""


@pytest.mark.parametrize("text", ["", "nope", '{"a": NaN}', "1e400", '"\\ud800"', '"\\u0000"', "[" * 5000])
def test_what_is_not_plain_json_is_none(text):
    assert AnswerSchema({}).read(text)[0] is None


SCORE = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}


@pytest.mark.parametrize(
    "text",
    [
        '{"score": 3}',
        '```json\n{"score": 3}\n```',
        'Sure! Here it is:\n\n{"score": 3}\n\nLet me know.',
        'Sure:\n```json\n{"score": 3}\n```\nAnything else?',
        '<think>Perhaps {"score": 1}? No.</think>{"score": 3}',
        '<THINKING>Perhaps [1].</THINKING>\n```\n{"score": 3}\n```',
        'Perhaps {"score": 1}.\n</think>\n\n{"score": 3}',
        'As said in [1], {"draft": 2}: {"score": 3}',
        '{"score": 3} {"score": 3}',
        '{"score": 3}<think>Done.</think>',
        'A brace { and a bracket [ come before {"score": 3}.',
    ],
)
def test_the_one_json_value_is_taken_out_of_what_stands_around_it(text):
    assert AnswerSchema(SCORE).read(text) == ({"score": 3}, "")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"score": 3} or {"score": 4}', "it holds several JSON values that fit"),
        ("There is no score.", "it is not JSON"),
        ("<think>Hm.</think>", "it is not JSON"),
        ('The answer: {"score": "high"}', "'high' is not of type 'integer' (at `$.score`)"),
        ('The answer: {"score": NaN}', "it is not JSON"),
    ],
)
def test_what_is_wrong_is_said_where_no_value_or_no_single_one_fits(text, wrong):
    assert AnswerSchema(SCORE).read(text) == (None, wrong)


def test_a_value_that_is_no_object_is_read_behind_thinking():
    assert AnswerSchema({"type": "string"}).read('<think>Hm.</think> "yes"') == ("yes", "")


@pytest.mark.parametrize("text", ["[" * 400_000, "<think>" * 70_000, "</think>" * 60_000, "{" * 1_000 + "x" * 400_000])
def test_no_text_keeps_the_process_busy(text):
    with within(2):
        assert AnswerSchema(SCORE).read(text)[0] is None

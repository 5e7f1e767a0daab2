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

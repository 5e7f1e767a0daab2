"""Schemas of callers: read with distrust, and every check of an answer ends in time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scaicore.errors import SourceUnreadable
from scaicore.language.caller_schemas import CallerSchema
from scaicore.language.schema_agreement import differences
from tests.support.timing import within

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TREE = {
    "$defs": {
        "node": {"type": "object", "properties": {"inner": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}
    },
    "$ref": "#/$defs/node",
}


@pytest.mark.parametrize(
    ("schema", "answer", "misfit"),
    [
        (CITY, '{"city": "Oslo"}', ""),
        (CITY, ' {"city": "Oslo"}\n', ""),
        (CITY, '{"city": 4}', "`$.city` does not meet `type`"),
        (CITY, "{}", "`$` does not meet `required`"),
        (CITY, '{"city": "Oslo", "x": 1}', "`$` does not meet `additionalProperties`"),
        (CITY, "Oslo", "it is not JSON"),
        (CITY, '```json\n{"city": "Oslo"}\n```', "it is not JSON"),
        (CITY, '{"city": "Oslo"} {"city": "Rome"}', "it is not JSON"),
        ({"$schema": "x", "$id": "https://a.example/s", **CITY}, '{"city": "Oslo"}', ""),
        ({"definitions": {"a": CITY}, "$ref": "#/definitions/a"}, '{"city": 4}', "`$.city` does not meet `type`"),
        (TREE, '{"inner": [{"inner": []}]}', ""),
        (TREE, '{"inner": [{"inner": 7}]}', "`$.inner[0].inner` does not meet `type`"),
        ({"type": "string", "pattern": "^(a+)+$"}, json.dumps("a" * 40 + "b"), ""),
        ({"multipleOf": 0.5}, "1" + "0" * 400, "a number in it is out of range"),
    ],
)
def test_an_answer_fits_or_is_told_where_it_does_not(schema: dict[str, Any], answer: str, misfit: str) -> None:
    assert CallerSchema(schema).find_misfit(answer) == misfit


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://a.example/schema"},
        {"$ref": "file:///etc/passwd"},
        {"properties": {"x": {"$ref": "other.json#/a"}}},
        {"$ref": "#/$defs/nothing"},
        {"properties": {"x": {"$id": "https://a.example/"}}},
        {"$dynamicRef": "#x"},
        {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
        {"type": 7},
        {"enum": ["x" * 100_000]},
    ],
)
def test_a_schema_that_leads_outside_or_is_none_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(SourceUnreadable):
        CallerSchema(schema)


ALTERNATIVES = [{"properties": {"x": {"$ref": "#/$defs/a"}}, "required": [name]} for name in "xyz"]
BOMB = {"$defs": {"a": {"anyOf": ALTERNATIVES[1:] + ALTERNATIVES}}, "$ref": "#/$defs/a"}
CHAIN = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 4} for n in range(30)}


@pytest.mark.parametrize(
    "schema",
    [
        BOMB,
        {"$defs": CHAIN | {"d30": {"const": 7}}, "$ref": "#/$defs/d0"},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    ],
)
def test_a_schema_that_would_take_for_ever_is_given_up(schema: dict[str, Any]) -> None:
    deep: Any = {}
    for _ in range(50):
        deep = {"x": deep}
    read = CallerSchema(schema)
    with within(5):
        assert read.find_misfit(json.dumps(deep)) == "it cannot be checked in time"


def obj(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


STRING, NUMBER = {"type": "string"}, {"type": "number"}
AGREEING = [
    (CITY, CITY),
    (CITY, {"type": "object"}),
    (CITY, {**CITY, "title": "City", "description": "A city."}),
    (CITY, {}),
    (obj("n", n={"type": "integer"}), obj("n", n=NUMBER)),
    (obj("n", n={"enum": ["a"]}), obj("n", n={"enum": ["a", "b"]})),
    (obj("n", n=STRING), {"$defs": {"s": STRING}, **obj("n", n={"$ref": "#/$defs/s"})}),
    (obj("n", n=STRING), obj("n", n={"anyOf": [STRING, {"type": "null"}]})),
    (obj("n", n={"type": ["string", "null"]}), obj("n", n={"anyOf": [STRING, {"type": "null"}]})),
    (obj("n", n={"type": "array", "items": STRING}), obj("n", n={"type": "array", "items": STRING})),
]
DIFFERING = [
    (CITY, obj("town", town=STRING), "$.town"),
    (CITY, {**CITY, "properties": {"city": NUMBER}}, "$.city"),
    (CITY, {"type": "array"}, "$"),
    (obj(city=STRING), obj("city", city=STRING), "$.city"),
    (obj("a", "b", a=STRING, b=STRING), {**obj("a", a=STRING), "additionalProperties": False}, "$.b"),
    (obj("n", n=STRING), obj("n", n={"enum": ["a"]}), "$.n"),
    (obj("n", n={"enum": ["a", "c"]}), obj("n", n={"enum": ["a", "b"]}), "$.n"),
    (obj("n", n={"type": "array", "items": STRING}), obj("n", n={"type": "array", "items": NUMBER}), "$.n[]"),
    (obj("n", n=NUMBER), obj("n", n={"type": "number", "maximum": 5}), "$.n"),
    (obj("n", n=NUMBER), obj("n", n={"anyOf": [STRING, {"type": "null"}]}), "$.n"),
]


@pytest.mark.parametrize(("promised", "wanted"), AGREEING)
def test_schemas_agree(promised: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert differences(promised, wanted) == []


@pytest.mark.parametrize(("promised", "wanted", "place"), DIFFERING)
def test_schemas_differ_at_a_place(promised: dict[str, Any], wanted: dict[str, Any], place: str) -> None:
    [found] = differences(promised, wanted)
    assert f"`{place}`" in found


def test_a_comparison_ends_in_time() -> None:
    promised = STRING
    for _ in range(25):
        promised = obj("x", x=promised)
    with within(5):
        differences(promised, BOMB)

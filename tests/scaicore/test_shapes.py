"""Parts of the wrong shape are named as the pages name them, and what they should be is said in words."""

import re

import pytest

import scaicore
from scaicore import shapes
from tests.support.documents import chain, entry, says

RAW = re.compile(r"regex|`(str|int|float|bool|array|object|null)|\^|config\.|\[\d|core_identity|field `")
MODEL = {"role": "main", "ref": "x", "model": "y"}


def found(**parts: object) -> list[str]:
    document = chain(entry(), says("reply", "")) | parts
    return [each.message for each in scaicore.compile(document, providers=["x"]).diagnostics]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"variables": [{}]}, "Variable 1: name is missing; add it."),
        ({"variables": [{"name": "a"}, {"name": "2b"}]}, "Variable 2, name: use letters, digits and underscores"),
        ({"config": {"core_identity": {"models": [MODEL | {"ref": ""}]}}}, "Language model 1, provider: this is empty"),
        (
            {"config": {"core_identity": {"models": [MODEL | {"temperature": "hot"}]}}},
            "Language model 1, temperature: it must be a whole number or a number or nothing, and is a text.",
        ),
        ({"config": {"core_identity": {"models": {}}}}, "Core identity, models: it must be a list."),
        ({"config": {"scaiflow_meta": {"instance_mode": "x"}}}, "Instance mode: x is none of the values"),
        ({"nodes": [{"id": "a", "type": 3}]}, "Node `a`: type: it must be a text, and is a whole number."),
        ({"nodes": [{"type": "entry_api"}]}, "Node 1: id is missing; add it."),
        ({"edges": [{"source": {"node": "a"}}]}, "Edge 1: target is missing; add it."),
        (
            {"nodes": [{"id": "c", "type": "checkpoint", "config": {"prompt": "?", "timeout": "1y"}}]},
            "Node `c`: timeout: write a number and s, m, h or d, such as 24h.",
        ),
        (
            {"nodes": [{"id": "c", "type": "llm_flexible", "config": {"budget": {"max_tokens": 0}}}]},
            "Node `c`: budget, max tokens: it must be at least 1.",
        ),
    ],
)
def test_a_part_of_the_wrong_shape_is_told_in_the_words_of_the_page(parts: dict[str, object], message: str) -> None:
    messages = found(**parts)
    assert any(each.startswith(message) for each in messages), messages
    assert not any(RAW.search(each) for each in messages)


@pytest.mark.parametrize(
    "parts",
    [
        {"variables": [{"name": "", "type": "string"}]},
        {"config": {"core_identity": {"models": [{"role": "main", "ref": "", "model": ""}]}}},
    ],
)
def test_an_empty_new_row_hides_no_other_finding(parts: dict[str, object]) -> None:
    document = chain(entry(), says("reply", "{{nope}}")) | parts
    codes = [each.code for each in scaicore.compile(document).diagnostics]
    assert "invalid_shape" in codes and len(codes) == 2
    assert scaicore.compile(document).program is None


def test_what_nobody_has_thought_of_is_still_said() -> None:
    assert shapes.explain("Something `odd` happened") == "something odd happened"

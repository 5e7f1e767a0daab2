"""Templates: filled in one pass; what a caller sent is never read as one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaicore.errors import RunFailed
from scaicore.language.templates import MAX_FILLED, Template

SYNTAX = st.text() | st.lists(
    st.sampled_from(["{{", "}}", "message", "state", ".", "{", "}", "{{message}}", "${x}"])
).map("".join)


def fill(template, **scope):
    missing = []
    return Template(template).fill(scope, missing), missing


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (r"\{{name}}", "{{name}}"),
        (r"\{{", "{{"),
        (r"a \{{b}} {{name}}", "a {{b}} Ann"),
        (r"\\{{name}}", r"\Ann"),
        (r"\\\{{name}}", r"\{{name}}"),
        (r"\frac{{name}}{b}", r"\fracAnn{b}"),
        (r"\{name}", r"\{name}"),
        (r"C:\temp\{{name}}", r"C:\temp{{name}}"),
    ],
)
def test_a_backslash_before_the_braces_writes_them(template, text):
    assert fill(template, name="Ann") == (text, [])


@given(SYNTAX)
def test_a_callers_text_comes_out_as_it_went_in(text):
    assert fill("{{message}}", message=text) == (text, [])


@given(SYNTAX, SYNTAX)
def test_two_callers_texts_side_by_side_stay_what_they_are(one, two):
    assert fill("<{{a}}|{{b}}>", a=one, b=two, message="secret") == (f"<{one}|{two}>", [])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_a_value_that_is_not_text_becomes_compact_json(value):
    text, _ = fill("{{v}}", v=value)
    assert text == value if isinstance(value, str) else json.loads(text) == value


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{{ a.b.c }}", "deep"),
        ("{{list.0}}{{list.1.x}}", "first2"),
        ("{{node-1}}", "dashed"),
        ('{"a":{"b":{{n}}}}', '{"a":{"b":1.5}}'),
        ("}} {{n}} }", "}} 1.5 }"),
        ("{{a}}", '{"b":{"c":"deep"}}'),
        ("{{none}}", "null"),
    ],
)
def test_placeholders_are_paths_into_the_scope(template, text):
    scope = {"a": {"b": {"c": "deep"}}, "list": ["first", {"x": 2}], "node-1": "dashed", "n": 1.5, "none": None}
    assert fill(template, **scope) == (text, [])


@pytest.mark.parametrize(
    "path", ["ghost", "a.ghost", "a.b.c", "list.9", "list.x", "list." + "9" * 5000, "text.0", "text.upper"]
)
def test_a_path_that_leads_nowhere_is_empty_and_told(path):
    assert fill(f"<{{{{{path}}}}}>", a={"b": 1}, list=[1], text="x") == ("<>", [path])


def test_a_template_bomb_stops_at_a_bound():
    with pytest.raises(RunFailed) as failed:
        fill("{{a}}" * 40, a="x" * (MAX_FILLED // 39))
    assert failed.value.reason == "too_much_data"

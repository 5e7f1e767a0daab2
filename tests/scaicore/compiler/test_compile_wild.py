"""Compile on wild input: it answers with findings, whatever comes."""

import copy
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaicore import compile, link
from tests.support.documents import chain, data, edge, entry, flow, node, says, variable

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
RICH = flow(
    entry(),
    node("if", "logic_decision"),
    node("set", "data_variable_set", variable="n", expression="state.n + 1"),
    says("a", "{{message}} {{state.n}}", result_binding="response"),
    edge("entry", "if"),
    edge("if", "set", "message == 'x'"),
    edge("if", "a", "else"),
    data("set", "a.text"),
    variables=[variable("n", "number", default=1)],
    publish_as_model=True,
    model_visibility_group_ids=["group_a"],
    core_identity={"name": "x", "models": [{"role": "main", "ref": "house", "model": "small", "fallback": []}]},
    scaiflow_meta={"instance_mode": "entity", "entity_scope": "user"},
)


def places(part, path=()):
    """The path of every part of a document."""
    yield path
    for key, item in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        yield from places(item, (*path, key))


def replaced(document, path, value):
    if not path:
        return value
    changed = copy.deepcopy(document)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return changed


def check(document):
    compilation = compile(document, providers={"house"})
    has_error = any(found.severity == "error" for found in compilation.diagnostics)
    assert (compilation.program is None) == has_error
    if compilation.program:
        link(compilation.program)


def test_the_rich_document_is_a_good_one():
    assert compile(RICH, providers={"house"}).diagnostics == ()


@given(ANYTHING)
def test_any_value_is_answered_with_findings(document):
    check(document)


@settings(max_examples=400)
@given(st.sampled_from(list(places(RICH))), ANYTHING)
def test_any_part_may_be_anything(path, value):
    check(replaced(RICH, path, value))


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.sampled_from([None, "else", "true", "data"]))))
def test_any_graph_compiles_or_says_why(pairs):
    drawn = [edge(f"n{a}", f"n{b}", c) if c != "data" else data(f"n{a}", f"n{b}") for a, b, c in pairs]
    check(flow(entry("n0"), *(says(f"n{i}", "") for i in range(1, 8)), *drawn))


def nested(depth):
    part = []
    for _ in range(depth):
        part = [part]
    return part


def shared(depth):
    part = []
    for _ in range(depth):
        part = [part, part]
    return part


def looped():
    part = {}
    part["again"] = part
    return part


@pytest.mark.parametrize(
    "value",
    [nested(100_000), shared(60), looped(), math.nan, math.inf, 1e999, {1: 2}, {"a": {1, 2}}, "\ud800", "a\0", b"x"],
    ids=["deep", "shared", "looped", "nan", "inf", "overflow", "int key", "set", "surrogate", "nul", "bytes"],
)
@pytest.mark.parametrize("place", [(), ("config",), ("nodes", 3, "config", "template"), ("variables", 0, "default")])
def test_what_is_not_plain_data_is_refused(value, place):
    compilation = compile(replaced(RICH, place, value))
    assert compilation.program is None
    assert compilation.diagnostics[0].code in ("not_plain_data", "invalid_shape")


@pytest.mark.parametrize("document", [None, True, 1, 1.5, "flow", [], [[]], b"", object()])
def test_a_document_is_an_object(document):
    (found,) = compile(document).diagnostics
    assert found.code == "invalid_shape"


def test_a_long_circle_is_found_without_recursion():
    names = [f"n{i}" for i in range(4_999)]
    circle = [edge(a, b) for a, b in zip(names, [*names[1:], names[0]], strict=True)]
    check(flow(entry(), *(says(name, "") for name in names), edge("entry", "n0"), *circle))


def test_a_condition_bomb_is_refused_or_harmless():
    for bomb in ("(" * 2000, "!" * 1999 + "true", "[" * 1000 + "]" * 1000, "1" * 2000, "a." * 900 + "a", "'" * 1001):
        check(flow(entry(), says("a", ""), edge("entry", "a", bomb), edge("entry", "a", "else")))


def test_huge_templates_are_refused():
    check(chain(entry(), says("a", "{{a}}" * 100_000)))

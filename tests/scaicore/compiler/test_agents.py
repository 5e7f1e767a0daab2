"""What a deploy says of the tools of a model node."""

from typing import Any

import pytest

from scaicore import compile
from tests.scaicore.nodes.test_agent import FETCH, IDENTITY, PLUGINS, WEATHER, agent, reply
from tests.support.documents import edge, entry, flow, node, says


def found(*tools: Any, nodes: Any = (FETCH,), **config: Any) -> list[tuple[str, str | None]]:
    compilation = compile(agent(*tools, nodes=nodes, **config), providers={"house"}, plugins=PLUGINS)
    return [(each.code, each.path) for each in compilation.diagnostics]


def test_a_tool_is_not_unreachable_and_its_arguments_are_known_names() -> None:
    assert found(WEATHER) == []
    assert found({"mcp": "house", "tools": ["say"]}, nodes=()) == []


def test_a_tool_is_part_of_the_program_and_no_step_of_it() -> None:
    program = compile(agent(), providers={"house"}).program
    assert program is not None
    assert [each.id for each in program.nodes] == ["entry", "reply", "fetch"]
    assert (program.writers, program.responders) == (("reply",), ("reply",))


def test_a_node_that_only_an_unreachable_model_calls_is_left_out() -> None:
    island = node("island", "llm_flexible", tools=[WEATHER])
    document = flow(entry(), says("say", "x"), island, FETCH, edge("entry", "say"), **IDENTITY)
    compilation = compile(document, providers={"house"})
    assert [each.code for each in compilation.diagnostics] == ["unreachable_node"] * 2
    assert compilation.program and [each.id for each in compilation.program.nodes] == ["entry", "say"]


BAD: dict[str, tuple[Any, str]] = {
    "neither": ({"name": "x", "description": "x"}, ""),
    "both": (WEATHER | {"mcp": "house", "tools": ["say"]}, ""),
    "no such node": (WEATHER | {"node": "nowhere"}, ".node"),
    "a node of another kind": (WEATHER | {"node": "entry"}, ".node"),
    "itself": (WEATHER | {"node": "reply"}, ".node"),
    "no name": (WEATHER | {"name": ""}, ".name"),
    "a name with a space": (WEATHER | {"name": "a b"}, ".name"),
    "no description": (WEATHER | {"description": " "}, ".description"),
    "no object": (WEATHER | {"parameters": {"type": "string"}}, ".parameters"),
    "a reference outside": (
        WEATHER | {"parameters": {"type": "object", "properties": {"city": {"$ref": "https://x.test/"}}}},
        ".parameters",
    ),
    "a name of the run": (WEATHER | {"parameters": {"type": "object", "properties": {"state": {}}}}, ".parameters"),
    "a name of a node": (WEATHER | {"parameters": {"type": "object", "properties": {"fetch": {}}}}, ".parameters"),
    "no tools": ({"mcp": "house"}, ".tools"),
    "a name for a server's tools": ({"mcp": "house", "tools": ["say"], "name": "x"}, ".mcp"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_tool_that_cannot_be_one_is_refused_where_it_stands(name: str) -> None:
    tool, key = BAD[name]
    assert ("bad_tool", f"nodes[1].config.tools[0]{key}") in found(tool)


def test_two_tools_of_one_name_are_refused() -> None:
    assert ("bad_tool", "nodes[1].config.tools") in found(WEATHER, WEATHER)
    named = WEATHER | {"name": "say"}
    assert ("bad_tool", "nodes[1].config.tools") in found(named, {"mcp": "house", "tools": ["say"]})


def test_a_tool_with_edges_is_refused() -> None:
    document = flow(entry(), reply(WEATHER), FETCH, edge("entry", "reply"), edge("reply", "fetch"), **IDENTITY)
    [problem] = compile(document, providers={"house"}).diagnostics
    assert (problem.code, problem.path) == ("bad_tool", "nodes[1].config.tools[0].node")


def test_unknown_servers_and_tools_are_named() -> None:
    assert found({"mcp": "nowhere", "tools": ["say"]}, nodes=()) == [("unknown_tool", "nodes[1].config.tools[0].mcp")]
    assert found({"mcp": "house", "tools": ["sing"]}, nodes=()) == [("unknown_tool", "nodes[1].config.tools[0].tools")]


@pytest.mark.parametrize("config", [{"max_turns": 0}, {"max_turns": 51}, {"tools": [{"nodes": "x"}]}, {"tools": "x"}])
def test_wrong_shapes_are_refused(config: Any) -> None:
    document = flow(entry(), node("reply", "llm_flexible", **config), edge("entry", "reply"), **IDENTITY)
    assert [each.code for each in compile(document, providers={"house"}).diagnostics] == ["invalid_shape"]

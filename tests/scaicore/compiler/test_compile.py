"""Compile: what is wrong with a document is said with the place it is about, and blocks a deploy when it must."""

import json
from pathlib import Path

import pytest

from scaicore import CODES, compile
from tests.support.documents import chain, codes, data, edge, entry, flow, node, says, variable
from tests.support.timing import within

MODEL = {"role": "main", "ref": "house", "model": "small"}
PORTS = {"inputs": [{"id": "in"}], "outputs": [{"id": "out"}]}


def decision(*edges, **rest):
    return flow(
        entry(), node("if", "logic_decision"), says("a", "A"), says("b", "B"), edge("entry", "if"), *edges, **rest
    )


def sets(**config):
    return chain(entry(), node("set", "data_variable_set", variable="n", **config), variables=[variable("n", "number")])


def loops(*edges, **config):
    looping = node("loop", "logic_loop", **{"items": "[1]", **config})
    return flow(entry(), looping, says("a", "A"), says("b", "B"), edge("entry", "loop"), *edges)


SAY = {"say": {"say": {"type": "object", "required": ["text"]}}}
# code → a document that has it
ERRORS = {
    "bad_arguments": chain(entry(), node("call", "tool_plugin", plugin="say", method="say")),
    "bad_condition": decision(edge("if", "a", "message =="), edge("if", "b", "else")),
    "bad_expression": sets(expression="1 +"),
    "bad_schema": chain(
        entry(), node("think", "llm_flexible", output_schema={"type": 7}), core_identity={"models": [MODEL]}
    ),
    "bad_template": chain(entry(), says("reply", "{{message")),
    "bad_tool": chain(
        entry(),
        node("think", "llm_flexible", tools=[{"name": "x", "description": "x", "node": "nowhere"}]),
        core_identity={"models": [MODEL]},
    ),
    "bad_value": sets(),
    "bad_variable_type": chain(entry(), variables=[variable("n", "colour")]),
    "client_tools_unheard": chain(
        entry(),
        node("think", "llm_flexible", client_tools=True, include_history=False),
        core_identity={"models": [MODEL]},
    ),
    "cycle": flow(entry(), says("a", ""), says("b", ""), edge("entry", "a"), edge("a", "b"), edge("b", "a")),
    "dangling_edge": flow(entry(), edge("entry", "ghost")),
    "dangling_port": flow(entry(), {**says("a", ""), **PORTS}, edge("entry", "a.side")),
    "decision_without_conditions": decision(edge("if", "a")),
    "duplicate_else": decision(edge("if", "a", "else"), edge("if", "b", "else")),
    "duplicate_id": flow(entry(), entry()),
    "edge_into_entry": flow(entry(), says("a", ""), edge("a", "entry")),
    "entity_never_received": flow(scaiflow_meta={"instance_mode": "entity"}),
    "impossible_capability": chain(entry(), says("reply", ""), capabilities=["images"]),
    "invalid_shape": flow(entry(), publish_as_model="yes"),
    "kind_not_available": chain(entry(), node("ask", "hitl_review")),
    "loop_leak": loops(edge("loop.body", "a"), edge("loop.done", "b"), edge("b", "a")),
    "loop_without_body": loops(edge("loop.done", "a"), edge("a", "b")),
    "loop_without_limit": chain(entry(), node("loop", "logic_loop", style="while", condition="true")),
    "multiple_entries": flow(entry(), entry("second")),
    "needs_entity_mode": chain(entry(), node("ask", "checkpoint", prompt="Go on?")),
    "no_entry": flow(says("a", "")),
    "not_plain_data": {**chain(entry()), "name": "a\0b"},
    "publish_without_entry_api": flow(publish_as_model=True),
    "reserved_name": chain(entry(), says("reply", "", result_binding="state")),
    "too_large": flow(*(says(f"n{i}", "") for i in range(5_001))),
    "undeclared_model_role": chain(entry(), node("think", "llm_flexible", llm_role="main")),
    "unknown_tool": chain(entry(), node("call", "tool_plugin", plugin="nowhere", method="say")),
    "undeclared_variable": chain(entry(), node("set", "data_variable_set", variable="n", value=1)),
    "unknown_model_provider": chain(entry(), core_identity={"models": [MODEL]}),
    "unknown_node_kind": chain(entry(), node("odd", "chat_trigger")),
    "wrong_type": chain(entry(), variables=[variable("n", "number", default="one")]),
}
WARNINGS = {
    "equal_bindings": chain(entry(), says("a", "", result_binding="x"), says("b", "{{x}}", result_binding="x")),
    "ignored_condition": flow(entry(), says("a", ""), {**edge("entry", "a"), "condition": "true"}),
    "memory_without_variables": chain(entry(), scaiflow_meta={"instance_mode": "entity"}),
    "result_not_there": chain(entry(), says("a", "{{b}}"), says("b", "")),
    "test_unusable": {**chain(entry(), says("reply", "hi")), "tests": ["not one"]},
    "unfit_condition": decision(edge("if", "a", "message == 3"), edge("if", "b", "else")),
    "unknown_name": chain(entry(), says("reply", "{{colour}}")),
    "unreachable_node": flow(entry(), says("island", "")),
    "webhook_without_auth": flow(entry(), node("hook", "entry_webhook")),
}


@pytest.mark.parametrize("code", ERRORS)
def test_an_error_blocks_the_deploy(code):
    compilation = compile(ERRORS[code], plugins=SAY)
    assert compilation.program is None
    assert code in [found.code for found in compilation.diagnostics if found.severity == "error"]


@pytest.mark.parametrize("code", WARNINGS)
def test_a_warning_does_not(code):
    compilation = compile(WARNINGS[code])
    assert compilation.program
    assert [(found.severity, found.code) for found in compilation.diagnostics] == [("warning", code)]


@pytest.mark.parametrize("names", [["state"], ["a b"], ["reply"], ["x", "x"], ["message"]])
def test_an_input_needs_a_name_of_its_own(names):
    inputs = [{"name": name} for name in names]
    assert codes(chain(node("entry", "entry_api", inputs=inputs), says("reply", ""))) == ["bad_value"]


def test_a_declared_input_is_a_known_name():
    taking = node("entry", "entry_api", inputs=[{"name": "colour"}])
    assert codes(chain(taking, says("reply", "{{colour}}"))) == []


def test_every_code_has_a_document_that_shows_it():
    assert {*ERRORS, *WARNINGS} == set(CODES)


@pytest.mark.parametrize("code", {**ERRORS, **WARNINGS})
def test_messages_are_sentences_and_codes_are_in_the_table(code):
    for found in compile({**ERRORS, **WARNINGS}[code]).diagnostics:
        assert found.code in CODES
        assert found.message[0].isupper() or found.message[0] == "`"
        assert len(found.message) > 20


def test_a_kind_that_cannot_run_here_names_its_node_and_what_is_missing():
    (found,) = compile(ERRORS["kind_not_available"]).diagnostics
    assert found.node_id == "ask"
    assert "`ask`" in found.message
    assert "ScaiQueue" in found.message
    assert found.path == "nodes[1].type"


def test_a_finding_about_an_edge_names_it():
    (found,) = compile(ERRORS["dangling_port"]).diagnostics
    assert (found.edge_id, found.node_id, found.path) == ("entry-a.side", "a", "edges[0].target.port")


def test_a_finding_about_a_condition_names_its_edge():
    (found,) = compile(decision(edge("if", "a", "colour == 'red'"), edge("if", "b", "else"))).diagnostics
    assert (found.code, found.edge_id, found.path) == ("unknown_name", "if-a", "edges[1].condition")


def test_several_faults_are_all_told_at_once():
    faulty = flow(entry(), says("a", "{{"), node("b", "nope"), edge("entry", "c"), publish_as_model=True)
    assert {"bad_template", "unknown_node_kind", "dangling_edge"} <= set(codes(faulty))


@pytest.mark.parametrize("condition", [None, "", "  ", "1 + 1", "message.nope()", "a" * 3000])
def test_a_condition_that_can_never_hold_is_refused(condition):
    assert "bad_condition" in codes(decision({**edge("if", "a"), "type": "conditional", "condition": condition}))


@pytest.mark.parametrize("template", ["{{", "{{}}", "{{a.}}", "{{a b}}", "{{{a}}}", "{{a|upper}}", "{{f(1)}}", "{{1}}"])
def test_a_template_that_is_more_than_paths_is_refused(template):
    assert codes(chain(entry(), says("reply", template))) == ["bad_template"]


@pytest.mark.parametrize("flag", [1, 0, "true", None, [], {}])
def test_the_publish_flag_is_true_or_false_and_nothing_else(flag):
    (found,) = compile(flow(entry(), publish_as_model=flag)).diagnostics
    assert (found.code, found.path) == ("invalid_shape", "config.publish_as_model")


@pytest.mark.parametrize("ids", [None, "group_a", [1], [None], {"a": 1}, [["group_a"]]])
def test_group_ids_are_a_list_of_texts(ids):
    (found,) = compile(flow(entry(), model_visibility_group_ids=ids)).diagnostics
    assert found.code == "invalid_shape"
    assert found.path.startswith("config.model_visibility_group_ids")


@pytest.mark.parametrize("meta", [{"instance_mode": "forever"}, {"entity_scope": "world"}, {"instance_mode": None}, []])
def test_instance_mode_and_scope_are_among_the_known(meta):
    assert codes(flow(entry(), scaiflow_meta=meta)) == ["invalid_shape"]


def test_providers_that_exist_are_accepted():
    spare = {**MODEL, "fallback": [{"ref": "attic", "model": "tiny"}]}
    document = chain(entry(), core_identity={"models": [spare]})
    assert codes(document, providers={"house", "attic"}) == []
    (found,) = compile(document, providers={"house"}).diagnostics
    assert "`attic`" in found.message


def test_publishing_can_be_asked_for_from_outside_the_document():
    document = flow(node("timer", "entry_schedule"))
    assert "publish_without_entry_api" not in codes(document)
    assert "publish_without_entry_api" in codes(document, publishable=True)
    assert "publish_without_entry_api" not in codes(
        {**document, "config": {"publish_as_model": True}}, publishable=False
    )


@pytest.mark.parametrize("name", ["state", "entity_id"])
def test_the_names_of_the_runtime_itself_are_taken(name):
    assert "reserved_name" in codes(flow(says(name, "")))
    assert "reserved_name" in codes(chain(entry(), says("a", "", result_binding=name)))
    assert codes(flow(entry(), says("a", ""), edge("entry", "a"), data("entry", f"a.{name}"))) == ["reserved_name"]


def test_a_node_that_declares_no_ports_takes_any():
    assert codes(flow(entry(), says("a", ""), edge("entry.next", "a.from"))) == []


def test_a_data_edge_makes_its_port_a_name_of_the_node():
    fed = flow(entry(), says("a", "A"), says("b", "{{text}}"), edge("entry", "a"), edge("a", "b"), data("a", "b.text"))
    assert codes(fed) == []


def test_a_text_that_names_an_undeclared_variable_is_refused():
    [found] = compile(chain(entry(), says("reply", "{{state.mood}}"))).diagnostics
    assert (found.code, found.severity) == ("undeclared_variable", "error")


def test_an_expression_may_ask_for_an_undeclared_variable():
    reading = node("set", "data_variable_set", variable="n", expression='has(state.mood) ? "a" : "b"')
    assert codes(chain(entry(), reading, says("reply", ""))) == ["undeclared_variable"]


@pytest.mark.parametrize("text", [r"\frac{{a}}{b}", "{{a}}", "{{ a.b }}"])
def test_a_text_that_may_be_lost_is_told_how_to_keep_it(text):
    [found] = compile(chain(entry(), says("reply", text))).diagnostics
    assert (found.code, found.severity) == ("unknown_name", "warning")
    assert r"write `\{{`" in found.message


def test_a_value_that_can_never_fit_its_variable_is_refused():
    assert codes(sets(value="{{message}}")) == ["wrong_type"]
    assert codes(sets(value=3)) == codes(sets(expression="1")) == []


def test_a_new_value_is_given_in_one_way():
    assert codes(sets(value=3, expression="1")) == ["bad_value"]


def test_templates_deep_inside_a_value_are_read_too():
    put = node("set", "data_variable_set", variable="v", value={"a": ["{{"]})
    assert codes(chain(entry(), put, variables=[variable("v", "object")])) == ["bad_template"]


def test_a_decision_has_conditional_edges_only():
    assert codes(decision(edge("if", "a", "true"), edge("if", "b"))) == ["decision_without_conditions"]


def test_unknown_keys_are_never_errors():
    document = chain({**entry(), "colour": 1}, {**says("a", "", mood=1), "x": {}}, future={"a": [1]})
    assert codes({**document, "extra": {"deep": [1, None]}}) == []


def test_the_program_holds_what_the_entry_reaches_and_nothing_else():
    program = compile(flow(entry(), says("island", ""), says("a", ""), edge("entry", "a"), edge("island", "a"))).program
    assert [node.id for node in program.nodes] == ["entry", "a"]
    assert [(edge.source, edge.target) for edge in program.edges] == [("entry", "a")]


def test_the_shipped_echo_flow_compiles_without_a_word():
    document = json.loads(Path("flows/echo.json").read_text())
    compilation = compile(document)
    assert compilation.diagnostics == ()
    assert compilation.program.publish.as_model is True


def test_a_flow_of_the_largest_size_compiles_in_linear_time():
    nodes = [entry(), *(says(f"n{i}", "{{message}}") for i in range(4_999))]
    with within(10):
        assert codes(chain(*nodes)) == []


def test_a_hundred_thousand_nodes_are_refused_at_once():
    nodes = [says("same", "") for _ in range(100_000)]
    with within(1):
        assert codes(flow(*nodes)) == ["too_large"]

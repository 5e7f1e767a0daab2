"""Names that are taken, results that are not there yet, and conditions that cannot be true or false."""

import pytest

from scaicore.compiler import compile
from tests.support.documents import chain, codes, edge, entry, flow, node, says, variable


@pytest.mark.parametrize(
    "name",
    [
        "message",
        "messages",
        "params",
        "input",
        "output",
        "state",
        "entity_id",
        "decision",
        "item",
        "true",
        "null",
        "in",
    ],
)
def test_no_node_and_no_result_takes_a_name_of_the_run(name):
    assert "reserved_name" in codes(chain(entry(), says(name, "x")))
    assert "reserved_name" in codes(chain(entry(), says("reply", "x", result_binding=name)))
    assert "reserved_name" in codes(chain(entry(), says("reply", "x"), variables=[variable(name, "any")]))


def test_the_finding_names_the_node():
    (found,) = compile(chain(entry(), says("message", "{{message}}"))).diagnostics
    assert (found.severity, found.node_id, found.path) == ("error", "message", "nodes[1].id")


def test_response_names_a_result_and_no_node():
    assert codes(chain(entry(), says("response", "x"))) == ["reserved_name"]
    assert codes(chain(entry(), says("reply", "x", result_binding="response"))) == []


@pytest.mark.parametrize("name", ["loop", "if", "while"])
def test_a_result_has_no_name_that_an_expression_cannot_read(name):
    assert codes(chain(entry(), says("reply", "x", result_binding=name))) == ["reserved_name"]


@pytest.mark.parametrize("name", ["message", "decision", "a b"])
def test_the_item_of_a_loop_hides_no_name_of_the_run(name):
    looping = node("each", "logic_loop", items="[1]", item_name=name)
    assert codes(flow(entry(), looping, says("a", ""), edge("entry", "each"), edge("each.body", "a"))) == [
        "reserved_name"
    ]


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "a\u202eb", "a\u200bb"])
def test_an_id_has_only_characters_that_print(name):
    (found, *_) = compile(chain(entry(), says(name, ""))).diagnostics
    assert (found.code, found.path, found.message.isprintable()) == ("bad_value", "nodes[1].id", True)
    assert codes(flow(entry(), says("a", ""), {**edge("entry", "a"), "id": name})) == ["bad_value"]


def forked(*nodes, **rest):
    """A decision between the first two nodes, and the others behind both."""
    conditions = [edge("choose", nodes[0]["id"], "message == 'a'"), edge("choose", nodes[1]["id"], "else")]
    joins = [edge(each["id"], last["id"]) for last in nodes[2:] for each in nodes[:2]]
    return flow(entry(), node("choose", "logic_decision"), *nodes, edge("entry", "choose"), *conditions, *joins, **rest)


def test_one_name_for_the_results_of_two_branches_is_fine():
    assert codes(forked(says("a", "A", result_binding="response"), says("b", "B", result_binding="response"))) == []


def test_one_name_for_two_results_of_one_run_is_a_finding():
    beside = [says("a", "A", result_binding="x"), says("b", "B", result_binding="x")]
    assert codes(flow(entry(), *beside, edge("entry", "a"), edge("entry", "b"))) == ["equal_bindings"]
    after = [says("a", ""), says("b", "", result_binding="x"), says("c", "", result_binding="x")]
    assert codes(forked(*after)) == ["equal_bindings"]


@pytest.mark.parametrize("text", ["{{b}}", "{{b.part}}", "{{a}}"])
def test_a_template_that_reads_a_result_before_it_exists_is_a_finding(text):
    assert codes(chain(entry(), says("a", text), says("b", "B"))) == ["result_not_there"]


def test_a_template_that_reads_another_branch_is_a_finding():
    assert codes(forked(says("a", "{{b}}"), says("b", "B"))) == ["result_not_there"]


def test_what_is_behind_both_branches_may_read_either():
    assert (
        codes(forked(says("a", "A", result_binding="x"), says("b", "B", result_binding="x"), says("c", "{{a}}{{x}}")))
        == []
    )


def test_a_condition_that_reads_a_later_result_is_a_finding():
    assert codes(forked(says("a", "A"), says("b", "B"))) == []
    late = flow(
        entry(),
        node("choose", "logic_decision"),
        says("a", "A"),
        edge("entry", "choose"),
        edge("choose", "a", "a == 'A'"),
    )
    assert codes(late) == ["result_not_there"]


def test_the_body_of_a_loop_is_read_inside_it_alone():
    looping = node("each", "logic_loop", items="[1]")
    nodes = [looping, says("a", "{{item}}"), says("b", "{{a}}"), says("c", "{{a}} {{each}}")]
    ways = [edge("entry", "each"), edge("each.body", "a"), edge("a", "b"), edge("each.done", "c")]
    found = compile(flow(entry(), *nodes, *ways)).diagnostics
    assert [(each.code, each.node_id) for each in found] == [("result_not_there", "c")]


@pytest.mark.parametrize("condition", ["message", "messages", "state", " params ", "3", "state.n", "message.size()"])
def test_a_condition_that_is_never_true_or_false_is_an_error(condition):
    document = forked(says("a", ""), says("b", ""), variables=[variable("n", "number")])
    document["edges"][1]["condition"] = condition
    assert codes(document) == ["bad_condition"]


@pytest.mark.parametrize("condition", ["message == 3", "message > 3", "message == true", "messages == 'a'"])
def test_a_condition_that_compares_the_message_with_another_type_is_a_warning(condition):
    document = forked(says("a", ""), says("b", ""))
    document["edges"][1]["condition"] = condition
    assert codes(document) == ["unfit_condition"]


@pytest.mark.parametrize("condition", ["message == '3'", "int(message) == 3", "params.deep == true", "state.yes"])
def test_a_condition_that_can_hold_is_none(condition):
    document = forked(says("a", ""), says("b", ""), variables=[variable("yes", "boolean")])
    document["edges"][1]["condition"] = condition
    assert codes(document) == []

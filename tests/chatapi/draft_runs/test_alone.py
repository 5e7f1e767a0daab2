"""A node of a flow that runs alone on what the others gave before."""

from __future__ import annotations

from typing import Any

from identity.models import User
from publishing.models import Core, Flow
from tests.chatapi.draft_runs.test_draft_runs import Run, run
from tests.chatapi.test_memory import counter
from tests.conftest import echo_document
from tests.support.documents import chain, data, edge, entry, flow, node, says

__all__ = ["run"]  # the fixture

SAYS = chain(
    entry(),
    says("first", "one: {{message}}", result_binding="intro"),
    says("second", "{{first}} {{intro}} {{entry.message}} {{message}}", result_binding="response"),
)


def test_it_reads_the_results_of_the_others_by_id_and_by_binding(run: Run, root: User, echo_flow: Flow) -> None:
    told = run(
        root, echo_flow.pk, content=SAYS, node="second", results={"first": "ONE", "second": "old"}, message="hi"
    ).json()
    assert (told["outcome"], told["response"]) == ("ok", "ONE ONE hi hi")
    assert [each["id"] for each in told["nodes"]] == ["entry", "second"]


def test_what_has_no_result_is_missing_as_it_would_be(run: Run, root: User, echo_flow: Flow) -> None:
    told = run(root, echo_flow.pk, content=SAYS, node="second", message="hi").json()
    assert told["nodes"][1]["warnings"][0].startswith("`{{first}}` is empty")


def test_it_reads_what_a_data_edge_brings_to_its_port(run: Run, root: User, echo_flow: Flow) -> None:
    fed = flow(
        entry(), says("a", "x"), says("b", "{{given}}"), edge("entry", "a"), edge("a", "b"), data("a.part", "b.given")
    )
    told = run(root, echo_flow.pk, content=fed, node="b", results={"a": {"part": "PART"}}, message="hi").json()
    assert told["response"] == "PART"


def test_it_begins_with_the_memory_that_is_sent(run: Run, root: User) -> None:
    flow_id = counter(root).flow_id
    told = run(root, str(flow_id), node="count", state={"count": 8}, message="hi").json()
    assert told["state"] == {"count": 9}


def test_a_node_that_is_not_there_or_cannot_run_alone_is_refused(
    run: Run, root: User, echo: Core, echo_flow: Flow
) -> None:
    assert run(root, echo_flow.pk, node="nowhere", message="hi").json()["detail"]["details"][0]["field"] == "node"
    split: dict[str, Any] = flow(
        entry(), node("if", "logic_decision"), says("a", "x"), edge("entry", "if"), edge("if", "a", "else")
    )
    assert run(root, echo_flow.pk, content=split, node="if", message="hi").status_code == 422


def test_an_entry_alone_gives_its_input(run: Run, root: User, echo_flow: Flow) -> None:
    document = echo_document()
    told = run(root, echo_flow.pk, content=document, node="entry", input={"order": 7}).json()
    assert told["nodes"][0]["result"] == {"order": 7}

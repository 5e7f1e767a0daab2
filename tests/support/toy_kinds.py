"""Node kinds that nothing else knows: a loop with ports of its own, a question, an entry. Each is in the table for the
length of a test."""

import pytest

from scaicore import KINDS
from scaicore.jsondata import Json
from scaicore.language.templates import Template
from scaicore.nodes.base import DECISION, CheckpointPlan, LoopBody, LoopPlan, NodeConfig, NodeKind
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program


class Twice(NodeConfig, frozen=True, kw_only=True):
    """Nothing to set."""


def _repeat(_config: Twice, _program: Program) -> LoopPlan:
    return LoopPlan(items=lambda _run: ["first", "second"], condition=None, limit=2, item_name="each", index_name="nth")


TWICE = NodeKind(
    kind="toy_twice",
    label="Twice",
    category="logic",
    summary="Runs what is behind its port `again` twice.",
    config=Twice,
    prepare=_repeat,
    makes=lambda _config: ("each", "nth"),
    regions=LoopBody("again", "then"),
    outputs=("again", "then"),
)


class Riddle(NodeConfig, frozen=True, kw_only=True):
    """`riddle` is the question."""

    riddle: str


def _ask(config: Riddle, _program: Program) -> CheckpointPlan:
    return CheckpointPlan(Template(config.riddle), (), None, None)


RIDDLE = NodeKind(
    kind="toy_riddle",
    label="Riddle",
    category="human",
    summary="Asks a riddle.",
    config=Riddle,
    prepare=_ask,
    makes=lambda _config: (DECISION,),
    asks=True,
    edge_type="conditional",
)


class Mail(NodeConfig, frozen=True, kw_only=True):
    """Nothing to set."""


def _accept(node_run: NodeRun) -> Json:
    return node_run.input


MAIL = NodeKind(
    kind="toy_mail",
    label="Mail",
    category="entry",
    summary="Receives a call.",
    config=Mail,
    prepare=lambda _config, _program: _accept,
    entered_by="call",
)


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (TWICE, RIDDLE, MAIL):
        monkeypatch.setitem(KINDS, kind.kind, kind)

"""Checkpoints: a run that waits for somebody's decision ends with its question, and a later run goes on behind it.
Calls of the caller's tools are such a question, too; their results are the answer.

The other branches of a run finish first, as far as they can; then the questions are asked, one for each turn. Until
the last one is answered, each turn ends with the next question and a new snapshot of the run.
"""

import time

import msgspec

from scaicore.errors import RunFailed
from scaicore.jsondata import Json, compact, defect, encode
from scaicore.nodes.base import DECISION, CheckpointPlan
from scaicore.nodes.node_run import NodeRun
from scaicore.runtime import snapshots
from scaicore.runtime.frames import Frame
from scaicore.runtime.linker import RuntimeNode
from scaicore.runtime.protocol import Finished, RunRequest
from scaicore.runtime.run import FlowRun, Parked

MAX_RESUME = 4_000_000  # characters of JSON

Decided = tuple[RuntimeNode, NodeRun, Json]


def park(run: FlowRun, node: RuntimeNode, node_run: NodeRun, plan: CheckpointPlan) -> None:
    """Let a checkpoint wait until nothing else can go on."""
    until = None if plan.timeout_s is None else run.request.now + plan.timeout_s
    # The question is worded now: later, other branches may have changed the memory that it speaks of.
    run.parked.append(Parked(node_run.frame, node, node_run.fill(plan.prompt), until))


def ask(run: FlowRun) -> Finished:
    """The run's last event: the first question that waits, and all that is needed to go on behind it."""
    question = run.parked[0]
    return run.pause(question.prompt, _snapshot(run, question.node))


def hand_over(run: FlowRun, text: str, node_run: NodeRun) -> Finished:
    """The run's last event where a model calls tools of the caller. An entity's next call goes on at its node."""
    keeps_place = run.runnable.program.instance_mode == "entity"
    return run.hand_over(text, node_run, _snapshot(run, run.parked[0].node) if keeps_place else None)


def _snapshot(run: FlowRun, node: RuntimeNode) -> dict[str, Json]:
    text = encode(msgspec.to_builtins(snapshots.take(run)))
    if len(text) > MAX_RESUME:
        raise RunFailed("resume_too_large", node.id)
    # Read back at once: what a store would refuse or change must fail this turn, not the next one.
    try:
        resume: dict[str, Json] = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        raise RunFailed("not_plain_data", node.id) from None
    if defect(resume):
        raise RunFailed("not_plain_data", node.id)
    return resume


def begin(request: RunRequest) -> tuple[FlowRun, Decided | None]:
    """A run at its entry; or one that goes on, with the decision that was made, or None to ask the same once more."""
    run = None if request.resume is None else snapshots.restore(request)
    if run is not None:
        frame, node, asked, until = run.parked[0]
        plan = node.plan
        if plan is None:
            return _called_back(run, frame, node) if _has_results(request, asked) else _anew(request)
        if until is None or request.now <= until:
            decision = (
                plan.match(compact(request.input.get("message", ""))) if isinstance(plan, CheckpointPlan) else None
            )
            return run, None if decision is None else _decide(run, frame, node, decision)
        if isinstance(plan, CheckpointPlan) and plan.on_timeout is not None:
            return run, _decide(run, frame, node, plan.on_timeout)
    return _anew(request)


def _anew(request: RunRequest) -> tuple[FlowRun, None]:
    run = FlowRun(request)
    run.start()
    return run, None


def _has_results(request: RunRequest, asked: str) -> bool:
    """Whether the conversation ends with the results of exactly these calls."""
    messages = request.input.get("messages")
    found = set()
    for said in reversed(messages if isinstance(messages, list) else []):
        if not isinstance(said, dict) or said.get("role") != "tool":
            break
        found.add(said.get("tool_call_id"))
    return found == set(asked.split("\n"))


def _called_back(run: FlowRun, frame: Frame, node: RuntimeNode) -> tuple[FlowRun, None]:
    """The node asks its model again, which now reads the results; all that ran before it does not run again."""
    del run.parked[0]
    run.ready.append((frame, run.runnable.nodes.index(node)))
    return run, None


def _decide(run: FlowRun, frame: Frame, node: RuntimeNode, decision: str) -> Decided:
    """The checkpoint has its decision, which becomes its result."""
    del run.parked[0]
    frame.scope[DECISION] = decision
    return node, run.new_node_run(frame, node, time.monotonic()), decision

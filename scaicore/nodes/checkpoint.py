"""Checkpoints: the turn ends with a question, and the entity's next message is the decision."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec

from scaicore.diagnostics import Diagnostic
from scaicore.language.templates import Template
from scaicore.nodes.base import DECISION, CheckpointPlan, NodeConfig, NodeKind, field
from scaicore.nodes.checking import NodeCheck
from scaicore.program import Program

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN: Final = re.compile(r"(\d{1,6})\s*([smhd])")

Span = Annotated[float, msgspec.Meta(gt=0)] | Annotated[str, msgspec.Meta(pattern=r"^\d{1,6}\s*[smhd]$")]


class Checkpoint(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """`prompt`, a template, is the question; `type` says to people what it is about. With `options`, the answer is one
    of them, in any case of letters, else the question is asked again. `timeout` is in seconds, or text such as `24h`;
    an answer that comes later counts as `on_timeout`, and without that starts the flow again."""

    prompt: Annotated[
        str,
        field("Prompt", "The question that ends the turn; a template.", "May I send this?\n\n{{draft}}", "template"),
    ]
    type: Annotated[str, field("Type", "What the question is about, in a word for people.", "approval")] = "approval"
    options: Annotated[
        list[str], field("Options", "The answers that are taken; with none, any text is one.", ["approve", "reject"])
    ] = []
    timeout: Annotated[
        Span | None, field("Answer within", "How long an answer is waited for: seconds, or a text such as 24h.", "24h")
    ] = None
    on_timeout: Annotated[
        str | None,
        field("On timeout", "What a later answer counts as; left out, the flow then starts anew.", "reject"),
    ] = None


def _prepare(config: Checkpoint, _program: Program) -> CheckpointPlan:
    return CheckpointPlan(Template(config.prompt), tuple(config.options), _seconds(config.timeout), config.on_timeout)


def _seconds(span: float | str | None) -> float | None:
    if not isinstance(span, str):
        return span
    found = _SPAN.fullmatch(span.strip())
    # The config's own type has refused any other text.
    return int(found[1]) * _UNITS[found[2]] if found else None


def _check(config: Checkpoint, check: NodeCheck) -> Iterator[Diagnostic]:
    if not config.prompt.strip():
        yield check.error("bad_value", "a checkpoint needs a `prompt`, the question that people read.", "prompt")
    yield from check.template(config.prompt, "prompt")
    if config.options and config.on_timeout is not None and config.on_timeout not in config.options:
        yield check.error("bad_value", "`on_timeout` must be one of the `options`.", "on_timeout")
    if config.on_timeout is not None and config.timeout is None:
        yield check.error("bad_value", "`on_timeout` needs a `timeout`, after which it becomes the answer.", "timeout")


def _makes(_config: Any) -> tuple[str, ...]:
    return (DECISION,)


CHECKPOINT = NodeKind(
    kind="checkpoint",
    label="Checkpoint",
    category="human",
    summary="Ends the turn with a question; the next message goes on behind it.",
    config=Checkpoint,
    prepare=_prepare,
    check=_check,
    makes=_makes,
    asks=True,
)
# A choice for a person asks in the same way; it has a kind of its own because the language has one.
HITL_DECISION = NodeKind(
    kind="hitl_decision",
    label="Decision by a person",
    category="human",
    summary="Ends the turn with a choice for a person; the next message decides.",
    config=Checkpoint,
    prepare=_prepare,
    check=_check,
    makes=_makes,
    asks=True,
)

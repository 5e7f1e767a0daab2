"""The rigid answer: text from a template, without a language model."""

from collections.abc import Iterator
from typing import Annotated

from scaicore.diagnostics import Diagnostic
from scaicore.jsondata import Json
from scaicore.language.templates import Template
from scaicore.nodes.base import NodeConfig, NodeKind, Work, field
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program


class LlmRigid(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """`template` is the text, with `{{path}}` placeholders."""

    template: Annotated[
        str, field("Template", "The text; what stands in {{…}} is filled in.", "Hello {{message}}", "template")
    ]


def _prepare(config: LlmRigid, _program: Program) -> Work:
    template = Template(config.template)

    def answer(node_run: NodeRun) -> Json:
        return node_run.fill(template)

    return answer


def _check(config: LlmRigid, check: NodeCheck) -> Iterator[Diagnostic]:
    return check.template(config.template, "template")


LLM_RIGID = NodeKind(
    kind="llm_rigid",
    label="Fixed reply",
    category="llm",
    summary="Fills a template and answers with its text; no model is called.",
    config=LlmRigid,
    prepare=_prepare,
    check=_check,
)

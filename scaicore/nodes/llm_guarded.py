"""The guarded answer: a language model is asked only if the guard holds, and believed only if its answer is valid."""

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

from scaicore.diagnostics import Diagnostic
from scaicore.errors import RunFailed
from scaicore.jsondata import Json
from scaicore.language.expressions import Expression
from scaicore.language.templates import Template
from scaicore.nodes import llm_flexible
from scaicore.nodes.base import NodeKind, Work, field
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.llm_flexible import Fallback, LlmFlexible
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program

Judge = Callable[[NodeRun, Json], bool]


class LlmGuarded(LlmFlexible, frozen=True, kw_only=True, omit_defaults=True):
    """`guard` is a CEL condition over the scope, `validate` one over the scope and `output`. When `guard` does not
    hold, or `validate` does not after the last try, the result is the fallback of `on_validation_failure`, or the run
    fails."""

    guard: Annotated[
        str | None,
        field("Guard", "CEL that must hold, or the model is not asked.", "size(message) < 2000", "expression"),
    ] = None
    validate: Annotated[
        str | None,
        field("Validate", "CEL over output that must hold of the answer.", 'output.contains("order")', "expression"),
    ] = None
    on_validation_failure: Annotated[
        Literal["fail", "retry"] | Fallback,
        field("On validation failure", "What happens to an answer that is not valid.", "retry"),
    ] = "fail"


def _prepare(config: LlmGuarded, program: Program) -> Work:
    # What was streamed cannot be refused any more, so a node that validates keeps its text until the end.
    chat = llm_flexible.prepare_chat(config, program, streams=config.validate is None)
    is_valid = _judge(config.validate)
    guard = None if config.guard is None else Expression(config.guard)
    refuse = _refusal(config)
    tries = 2 if config.on_validation_failure == "retry" else 1

    async def ask(node_run: NodeRun) -> Json:
        for _ in range(tries):
            output = await chat.answer(node_run)
            if is_valid(node_run, output):
                return output
        return refuse(node_run, "validation_refused")

    ask_or_fall_back = llm_flexible.with_fallback(config, ask)

    async def answer(node_run: NodeRun) -> Json:
        if guard is not None and not guard.holds(node_run.scope):
            return refuse(node_run, "guard_refused")
        return await ask_or_fall_back(node_run)

    return answer


def _judge(source: str | None) -> Judge:
    if source is None:
        return lambda _node_run, _output: True
    condition = Expression(source)
    return lambda node_run, output: condition.holds(node_run.scope | {"output": output})


def _refusal(config: LlmGuarded) -> Callable[[NodeRun, str], Json]:
    choice = config.on_validation_failure
    fallback = Template(choice.fallback) if isinstance(choice, Fallback) else None

    def refuse(node_run: NodeRun, reason: str) -> Json:
        if fallback is None:
            raise RunFailed(reason)
        node_run.warnings.append("The guard or the validation did not hold; the fallback was used.")
        node_run.finish_reason, node_run.refusal = "stop", ""
        return node_run.fill(fallback)

    return refuse


def _check(config: LlmGuarded, check: NodeCheck) -> Iterator[Diagnostic]:
    yield from llm_flexible.check_chat(config, check)
    if config.guard is not None:
        yield from check.condition(config.guard, "guard")
    if config.validate is not None:
        yield from check.condition(config.validate, "validate", known=("output",))
        if config.client_tools:
            message = "it calls the caller's tools, and `validate` could not judge such a call; use one or the other."
            yield check.error("client_tools_unheard", message, "client_tools")
    if isinstance(config.on_validation_failure, Fallback):
        yield from check.template(config.on_validation_failure.fallback, "on_validation_failure.fallback")


LLM_GUARDED = NodeKind(
    kind="llm_guarded",
    label="Guarded reply",
    category="llm",
    summary="Asks a language model behind a guard, and checks what it says.",
    config=LlmGuarded,
    prepare=_prepare,
    check=_check,
    waits=True,
    replies=True,
)

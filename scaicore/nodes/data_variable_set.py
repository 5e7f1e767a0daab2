"""Setting a variable: the one way in which a flow changes its memory."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from scaicore.diagnostics import Diagnostic
from scaicore.errors import RunFailed
from scaicore.jsondata import Json
from scaicore.language import variables
from scaicore.language.expressions import Expression
from scaicore.nodes import templated_values
from scaicore.nodes.base import NodeConfig, NodeKind, Work, field
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program


class DataVariableSet(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """Sets `state.<variable>` to `value`, whose texts are templates, or to what the CEL `expression` gives."""

    variable: Annotated[str, field("Variable", "The variable that is set, one of those of the flow.", "last_topic")]
    value: Annotated[Any, field("Value", "Its new value: JSON, whose texts are templates.", "{{message}}")] = (
        msgspec.UNSET
    )
    expression: Annotated[
        str | None, field("Expression", "In place of a value: CEL that gives it.", "state.count + 1", "expression")
    ] = None


def _prepare(config: DataVariableSet, program: Program) -> Work:
    make = templated_values.maker(config.value) if config.expression is None else _evaluator(config.expression)
    # `check` has made sure that it is declared; a program of another make ends here, as one that cannot be read.
    type_name = next(variable.type for variable in program.variables if variable.name == config.variable)

    def assign(node_run: NodeRun) -> Json:
        value = make(node_run)
        if not variables.fits(value, type_name):
            raise RunFailed("wrong_type")
        node_run.state[config.variable] = value
        return value

    return assign


def _evaluator(source: str) -> templated_values.Maker:
    expression = Expression(source)
    return lambda node_run: expression.evaluate(node_run.scope)


def _check(config: DataVariableSet, check: NodeCheck) -> Iterator[Diagnostic]:
    declared = check.variables.get(config.variable)
    if declared is None:
        message = f"the variable `{config.variable}` is not declared; add it to the flow's variables."
        yield check.error("undeclared_variable", message, "variable")
    has_value = config.value is not msgspec.UNSET
    if has_value == (config.expression is not None):
        yield check.error("bad_value", "set the new value by either `value` or `expression`, not both.")
    elif config.expression is not None:
        yield from check.expression(config.expression, "expression")
    else:
        yield from _check_value(config.value, declared, check)


def _check_value(value: Json, declared: str | None, check: NodeCheck) -> Iterator[Diagnostic]:
    for text in templated_values.texts(value):
        yield from check.template(text, "value")
    if declared in variables.TYPES and not variables.fits(value, declared):
        message = f"`value` does not fit the type `{declared}`. A template is always text; "
        yield check.error("wrong_type", f"{message}calculate other types with `expression`.", "value")


DATA_VARIABLE_SET = NodeKind(
    kind="data_variable_set",
    label="Set variable",
    category="data",
    summary="Sets a variable of the flow's memory.",
    config=DataVariableSet,
    prepare=_prepare,
    check=_check,
)

"""The loop: what is behind its port `body` runs for each item, or as long as a condition holds."""

from collections.abc import Callable, Iterator
from typing import Annotated, Final, Literal

import msgspec

from scaicore.diagnostics import Diagnostic
from scaicore.errors import RunFailed
from scaicore.jsondata import Json
from scaicore.language.expressions import Expression
from scaicore.language.names import can_bind, shown
from scaicore.nodes.base import LoopBody, LoopPlan, NodeConfig, NodeKind, field
from scaicore.nodes.checking import NodeCheck
from scaicore.nodes.node_run import NodeRun
from scaicore.program import Program

BODY: Final = "body"
DONE: Final = "done"
DEFAULT_LIMIT: Final = 1_000  # of a `foreach`; a `while` must declare its own
DEFAULT_ITEM: Final = "item"


class LogicLoop(NodeConfig, frozen=True, kw_only=True, omit_defaults=True):
    """`foreach` runs once per entry of the CEL list `items`, and fails beyond `max_iterations`; `while` runs as long as
    the CEL `condition` holds, up to `max_iterations`. The body sees the item and its number from 0 by their names."""

    style: Annotated[
        Literal["foreach", "while"], field("Style", "Once for each item, or while a condition holds.", "foreach")
    ] = "foreach"
    items: Annotated[
        str | None, field("Items", "Of foreach: CEL that gives a list.", "fetch.json.orders", "expression")
    ] = None
    condition: Annotated[
        str | None,
        field("Condition", "Of while: CEL that is looked at before each turn.", "state.left > 0", "expression"),
    ] = None
    max_iterations: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None, field("Max iterations", "The run fails beyond so many turns.", 20)
    ] = None
    item_name: Annotated[str, field("Item name", "The name of the item in the body.", "order")] = DEFAULT_ITEM
    index_name: Annotated[str, field("Index name", "The name of its number, from 0.", "index")] = "index"


def _prepare(config: LogicLoop, _program: Program) -> LoopPlan:
    limit = config.max_iterations or DEFAULT_LIMIT
    is_foreach = config.style == "foreach"
    return LoopPlan(
        items=_items(config.items or "[]", limit) if is_foreach else None,
        condition=None if is_foreach else Expression(config.condition or "false"),
        limit=limit,
        item_name=config.item_name,
        index_name=config.index_name,
    )


def _items(source: str, limit: int) -> Callable[[NodeRun], list[Json]]:
    expression = Expression(source)

    def evaluate(node_run: NodeRun) -> list[Json]:
        # Evaluated once: what the body changes does not change how often it runs.
        items = expression.evaluate(node_run.scope)
        if not isinstance(items, list):
            raise RunFailed("not_a_list")
        if len(items) > limit:
            raise RunFailed("too_many_items")
        return items

    return evaluate


def _check(config: LogicLoop, check: NodeCheck) -> Iterator[Diagnostic]:
    key, source = ("items", config.items) if config.style == "foreach" else ("condition", config.condition)
    if source is None:
        yield check.error("bad_value", f"a loop of style `{config.style}` needs `{key}`.", key)
    elif key == "items":
        yield from check.expression(source, key)
    else:
        yield from check.condition(source, key)
    if config.style == "while" and config.max_iterations is None:
        message = "a while-loop needs `max_iterations`; say after how many turns it must end."
        yield check.error("loop_without_limit", message, "max_iterations")
    for name_key in ("item_name", "index_name"):
        name = getattr(config, name_key)
        if name != DEFAULT_ITEM and not can_bind(name):
            message = f"`{shown(name)}` cannot name an item; use a plain word such as `item`."
            yield check.error("reserved_name", message, name_key)
    yield from _check_ways(check)


def _check_ways(check: NodeCheck) -> Iterator[Diagnostic]:
    ways = [edge for edge in check.outgoing if edge.type != "data"]
    if not any(edge.source.port == BODY for edge in ways):
        message = "nothing follows its port `body`; draw an edge from there to the nodes that it repeats."
        yield check.error("loop_without_body", message)
    if any(edge.source.port not in (BODY, DONE) or edge.type == "conditional" for edge in ways):
        message = "every edge out of a loop must be `sequential` and leave by the port `body` or `done`."
        yield check.error("bad_value", message)


# Bound also outside the body, as far as a name check can tell: it does not know regions.
def _makes(config: LogicLoop) -> tuple[str, ...]:
    return config.item_name, config.index_name


LOGIC_LOOP = NodeKind(
    kind="logic_loop",
    label="Loop",
    category="logic",
    summary="Runs what is behind its port `body` again and again; the result is the list of its results.",
    config=LogicLoop,
    prepare=_prepare,
    check=_check,
    makes=_makes,
    regions=LoopBody(BODY, DONE),
    outputs=(BODY, DONE),
)

"""Which nodes may send their text while they still write it: those whose text is certain to be the response, whichever
way a run takes. What a client has read cannot be taken back."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from scaicore.compiler import graph
from scaicore.compiler.graph import Successors
from scaicore.nodes import may_ask, region_owners
from scaicore.program import RESPONSE, ProgramEdge, ProgramNode
from scaicore.runtime import regions
from scaicore.runtime.linker import arcs
from scaicore.runtime.regions import Arc


def find_responders(nodes: Sequence[ProgramNode], edges: Sequence[ProgramEdge]) -> tuple[str, ...]:
    """The ids of these nodes in a program."""
    kinds = {node.id: node.kind for node in nodes}
    owners = region_owners(kinds)
    ordering = arcs(edges)
    found = regions.find(owners, ordering)
    owner_of = regions.outermost(found)
    following, has_fork = _contract(ordering, owner_of)
    asking = {node_id for node_id, kind in kinds.items() if may_ask(kind)}
    if asking and (has_fork or owners):
        return ()  # a question may come up next to any node, and end the turn in place of its text
    binding = {node.id for node in nodes if RESPONSE in (node.id, node.config.get("result_binding"))}
    repeated = {node_id for region in found if region.is_body for node_id in region.nodes}
    inner = binding & owner_of.keys()
    # In a loop a later turn may replace the text. Beside others that bind, a branch may end before or after them.
    if inner & repeated or (inner and len(binding) > 1):
        return ()
    if inner:
        certain = tuple(inner)
    else:
        outer = [node_id for node_id in kinds if node_id not in owner_of]
        certain = _certain(graph.topological_order(outer, following), following, binding, has_fork=has_fork)
    silent = _leading_to(asking, ordering)
    return tuple(node_id for node_id in certain if node_id not in silent)


def find_writers(nodes: Sequence[ProgramNode], edges: Sequence[ProgramEdge]) -> tuple[str, ...]:
    """The ids of all nodes whose result may be the response, in one run or another."""
    owners = region_owners({node.id: node.kind for node in nodes})
    ordering = arcs(edges)
    owner_of = regions.outermost(regions.find(owners, ordering))
    following, _ = _contract(ordering, owner_of)
    binding = {node.id for node in nodes if RESPONSE in (node.id, node.config.get("result_binding"))}
    around = {owner_of.get(node_id, node_id) for node_id in binding}
    outer = [node.id for node in nodes if node.id not in owner_of]
    # Behind a node that binds, the last result counts no more; where none was met on the way, it does.
    open_ways = {node_id: [] if node_id in around else targets for node_id, targets in following.items()}
    arrived = {target for targets in following.values() for target in targets}
    met = set().union(*(graph.reachable(node_id, open_ways) for node_id in outer if node_id not in arrived))
    last = {node_id for node_id in outer if not following.get(node_id) and node_id in met - around}
    return tuple(node.id for node in nodes if node.id in binding | last)


def _contract(arcs: Iterable[Arc], owner_of: dict[str, str]) -> tuple[Successors, bool]:
    """What follows what when each region counts as a part of its owner, and whether branches run side by side then."""
    following: defaultdict[str, list[str]] = defaultdict(list)
    unconditional: defaultdict[str, list[str]] = defaultdict(list)
    for arc in arcs:
        source, target = owner_of.get(arc.source, arc.source), owner_of.get(arc.target, arc.target)
        # An edge inside a region is none any more. Several that leave it for the same node are one: it ends once.
        if source == target or (source != arc.source and target in following[source]):
            continue
        following[source].append(target)
        if not arc.is_conditional:
            unconditional[source].append(target)
    return following, any(len(targets) > 1 for targets in unconditional.values())


def _leading_to(asking: set[str], arcs: Iterable[Arc]) -> set[str]:
    """The nodes that ask, and those before them: the turn may end with the question, which is then the response."""
    backwards: defaultdict[str, list[str]] = defaultdict(list)
    for arc in arcs:
        backwards[arc.target].append(arc.source)
    return set().union(*(graph.reachable(node_id, backwards) for node_id in asking))


def _certain(ordered: list[str], following: Successors, binding: set[str], *, has_fork: bool) -> tuple[str, ...]:
    """The nodes whose text is certain to be the response.

    `binding` are the nodes whose result is bound to `response`. Where branches run side by side, only a sole binder or,
    when nothing binds, a sole last node is certain; otherwise every way through the flow has its own.
    """
    last = [node_id for node_id in ordered if not following.get(node_id)]
    sole = list(binding) if binding else last
    if len(sole) == 1:
        return tuple(sole)
    if has_fork:
        return ()
    # A binder is certain when no other binder comes later; a last node when no binder came before it.
    before = _before(reversed(ordered), following, binding)
    behind = _behind(ordered, following, binding)
    return tuple(
        node_id
        for node_id in ordered
        if (node_id in binding and node_id not in before) or (node_id in last and node_id not in binding | behind)
    )


def _before(backwards: Iterable[str], following: Successors, marked: set[str]) -> set[str]:
    """The nodes with a marked node somewhere behind them."""
    found: set[str] = set()
    for node_id in backwards:
        if any(target in marked or target in found for target in following.get(node_id, ())):
            found.add(node_id)
    return found


def _behind(forwards: Iterable[str], following: Successors, marked: set[str]) -> set[str]:
    """The nodes somewhere behind a marked node."""
    found: set[str] = set()
    for node_id in forwards:
        if node_id in marked or node_id in found:
            found.update(following.get(node_id, ()))
    return found

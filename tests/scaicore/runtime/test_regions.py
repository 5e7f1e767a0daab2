"""Regions and pauses change when nodes run, never which."""

from hypothesis import given, settings
from hypothesis import strategies as st

from scaicore import NodeFinished
from tests.scaicore.nodes.test_checkpoint import ENTITY, Entity
from tests.scaicore.runtime.test_engine import ran
from tests.support.documents import edge, entry, events, flow, node, says

LAST = 7
KINDS = ("llm_rigid", "logic_parallel", "checkpoint", "logic_loop")
FORWARD = st.lists(st.tuples(st.integers(0, LAST - 1), st.integers(1, 4), st.booleans()), min_size=6, max_size=16)


def drawn(pairs, kinds, held):
    """A forward graph; nodes of the kind `llm_rigid` may decide, by the bits of `held`; any loop has a body of one."""
    nodes, edges = [entry("n0")], []
    for number, kind in enumerate(kinds, 1):
        config = {"llm_rigid": {"template": ""}, "checkpoint": {"prompt": "?"}, "logic_loop": {"items": "[1, 2]"}}
        nodes.append(node(f"n{number}", kind, **config.get(kind, {})))
        if kind == "logic_loop":
            nodes.append(says(f"b{number}", ""))
            edges.append(edge(f"n{number}.body", f"b{number}"))
    for number, (source, step, decides) in enumerate(pairs):
        target = min(source + step, LAST)
        is_loop = source > 0 and kinds[source - 1] == "logic_loop"
        may_decide = decides and (source == 0 or kinds[source - 1] in ("llm_rigid", "checkpoint"))
        condition = ("true" if held >> number & 1 else "false") if may_decide else None
        edges.append({**edge(f"n{source}" + ".done" * is_loop, f"n{target}", condition), "id": f"e{number}"})
    deciding = {part["source"]["node"] for part in edges if "condition" in part}
    edges += [{**edge(source, "end", "else"), "id": f"x-{source}"} for source in sorted(deciding)]
    return flow(*nodes, says("end", ""), *edges, **ENTITY)


async def finished(document):
    """The nodes that ran, in as many turns as it takes."""
    ann = Entity(document)
    names = []
    for _ in range(100):
        await ann.says("go")
        names += ann.of(NodeFinished)
        if not ann.is_waiting:
            return sorted(names)
    raise AssertionError("the turns do not end")


@settings(max_examples=150)
@given(FORWARD, st.lists(st.sampled_from(KINDS), min_size=LAST, max_size=LAST), st.integers(0, 2**16))
async def test_loops_parallels_and_checkpoints_run_the_nodes_that_plain_ones_would(pairs, kinds, held):
    plain = ["logic_loop" if kind == "logic_loop" else "llm_rigid" for kind in kinds]
    decides = [
        (source, step, flag and (source == 0 or kinds[source - 1] in ("llm_rigid", "checkpoint")))
        for source, step, flag in pairs
    ]
    assert await finished(drawn(decides, kinds, held)) == await finished(drawn(decides, plain, held))


async def test_a_region_that_others_lead_into_is_none():
    document = flow(
        entry(),
        node("all", "logic_parallel"),
        says("side", ""),
        says("a", "A"),
        says("b", "B"),
        says("end", "{{all}}"),
        edge("entry", "all"),
        edge("entry", "side"),
        edge("all", "a"),
        edge("all", "b"),
        edge("side", "a"),
        edge("a", "end"),
        edge("b", "end"),
    )
    told = await events(document)
    assert told[-1].output == {"response": '{"b":"B"}'}
    assert sorted(ran(told)) == ["a", "all", "b", "end", "entry", "side"]

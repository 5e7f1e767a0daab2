"""Snapshots outlive deploys of the product: what an earlier release put away, this one must still read."""

import json

from tests.scaicore.nodes.test_checkpoint import ENTITY, asks
from tests.support.documents import edge, entry, events, flow, node, says

# As the first release wrote it: a question inside a parallel, inside the first turn of a loop.
EARLIER = """
{"shape": "473ac0d663b2937d723267bdd20765e1", "input": {"message": "go"}, "entered": ["entry"], "frames": [
 {"within": null, "number": 0, "scope": {"message": "go"}, "arrived": [], "active": 2, "last": null},
 {"within": 0, "number": 0, "scope": {"item": "a", "index": 0, "side": "[a]"}, "arrived": [], "active": 1,
  "last": null},
 {"within": 1, "number": 0, "scope": {}, "arrived": [], "active": 1, "last": null}], "opened": [
 {"frame": 0, "node": "loop", "items": ["a", "b"], "cursor": 1, "running": 1, "turns": [], "branches": {}, "exits": []},
 {"frame": 1, "node": "all", "items": null, "cursor": 2, "running": 1, "turns": [], "branches": {"side": "[a]"},
  "exits": []}],
 "parked": [{"frame": 2, "node": "ask", "prompt": "Take a?", "until": null}], "bound": null, "last": ["[a]", "stop"]}
"""


def picking():
    return flow(
        entry(),
        node("loop", "logic_loop", items="['a', 'b']"),
        node("all", "logic_parallel"),
        asks(prompt="Take {{item}}?"),
        says("side", "[{{item}}]"),
        says("end", "{{loop}}"),
        edge("entry", "loop"),
        edge("loop.body", "all"),
        edge("all", "ask"),
        edge("all", "side"),
        edge("loop.done", "end"),
        **ENTITY,
    )


async def turn(message, resume=None):
    return (await events(picking(), {"message": message}, entity_id="ann", resume=resume, now=1_000.0))[-1]


async def test_a_run_is_put_away_as_in_earlier_releases():
    assert (await turn("go")).resume == json.loads(EARLIER)


async def test_a_run_that_an_earlier_release_put_away_goes_on():
    second = await turn("yes", json.loads(EARLIER))
    assert second.output == {"response": "Take b?"}
    third = await turn("no", second.resume)
    assert third.output == {"response": '[{"ask":"yes","side":"[a]"},{"ask":"no","side":"[b]"}]'}

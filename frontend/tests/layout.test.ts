import assert from "node:assert/strict";
import { test } from "node:test";
import { tidy } from "../src/canvas/layout";
import { edgesOf, nodesOf } from "../src/document/parts";

test("the layout gives each step a column, circles included", () => {
  const edges = [
    ["a", "b"],
    ["b", "c"],
    ["a", "c"],
    ["c", "b"],
  ].map(([source, target], place) => ({ id: `e${place}`, source: { node: source! }, target: { node: target! } }));
  const flow = { nodes: ["a", "b", "c"].map((id) => ({ id })), edges };
  const places = tidy(nodesOf(flow), edgesOf(flow));
  assert.deepEqual(
    ["a", "b", "c"].map((key) => places.get(key)!.x / places.get("b")!.x),
    [0, 1, 2],
  );
});

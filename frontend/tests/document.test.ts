import assert from "node:assert/strict";
import { test } from "node:test";
import { copyNodes, pasteNodes } from "../src/document/clipboard";
import { connect, connectProblem } from "../src/document/connections";
import { moveEdge, moveNodes, removeParts } from "../src/document/edits";
import { equal, type JsonObject, parse, put } from "../src/document/json";
import { edgesOf, nodesOf } from "../src/document/parts";
import { echo, strange } from "./samples";

test("looking at a strange document leaves it alone, and an edit changes the one part", () => {
  const before = structuredClone(strange);
  const moved = moveNodes(strange, new Map([["a", { x: 7.4, y: 8.6 }]]));
  assert.deepEqual(strange, before);
  assert.deepEqual(moved, {
    ...before,
    nodes: [
      { ...(before.nodes as JsonObject[])[0]!, position: { x: 7, y: 9, z: 3 } },
      ...(before.nodes as JsonObject[]).slice(1),
    ],
  });
});

test("nodes without an id, or with one that is taken, get a name of their own", () => {
  assert.deepEqual(
    nodesOf(strange).map((node) => node.key),
    ["a", "#1", "#3"],
  );
});

test("removing a node takes its edges along", () => {
  const left = removeParts(echo, new Set(["reply"]), new Set());
  assert.deepEqual([nodesOf(left).length, edgesOf(left).length], [1, 0]);
});

test("connecting declares the port that a node with ports lacks", () => {
  const made = connect({ ...echo, edges: [] }, { source: "reply", target: "entry" });
  assert.deepEqual(
    nodesOf(made!.document).map((node) => [node.inputs, node.outputs]),
    [
      [["in"], ["out"]],
      [["in"], ["out"]],
    ],
  );
});

test("an edge that is there is not drawn twice, nor one from a node to itself", () => {
  assert.equal(connect(echo, { source: "entry", target: "reply" }), null);
  assert.equal(connect(echo, { source: "entry", target: "entry" }), null);
  assert.equal(connectProblem(echo, { source: "entry", target: "reply" }), "API leads to Reply already.");
});

test("the second way out of a decision is conditional, too", () => {
  const nodes = [
    { id: "entry", type: "logic_decision" },
    { id: "reply", type: "llm_rigid" },
  ];
  const first = connect({ nodes, edges: [] }, { source: "entry", target: "reply" })!;
  const again = connect(first.document, { source: "entry", target: "reply" })!;
  assert.deepEqual(
    edgesOf(again.document).map((edge) => [edge.key, edge.type]),
    [
      ["entry-reply", "conditional"],
      ["entry-reply_2", "conditional"],
    ],
  );
});

test("conditions are asked in another order when an edge is moved", () => {
  const edges = [
    ["e", "a", "b"],
    ["f", "x", "y"],
    ["g", "a", "c"],
  ].map(([id, source, target]) => ({ id: id!, source: { node: source! }, target: { node: target! } }));
  assert.deepEqual(
    edgesOf(moveEdge({ edges }, "g", -1)).map((edge) => edge.key),
    ["g", "f", "e"],
  );
});

test("a copy gets ids of its own and keeps the edges among its nodes", () => {
  const made = pasteNodes(echo, copyNodes(echo, new Set(["entry", "reply"])), { x: 10, y: 10 });
  assert.deepEqual(made.keys, ["entry_2", "reply_2"]);
  assert.deepEqual(
    edgesOf(made.document).map((edge) => [edge.source, edge.target]),
    [
      ["entry", "reply"],
      ["entry_2", "reply_2"],
    ],
  );
});

test("values mean the same whatever the order of their keys", () => {
  assert.ok(equal({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 }));
  assert.ok(!equal({ a: undefined }, { b: undefined }));
  assert.ok(!equal([1, 2], [2, 1]));
});

test("a key called __proto__ is a key", () => {
  const told = parse('{"a": {"__proto__": 1, "b": 2}}') as JsonObject;
  assert.equal(JSON.stringify(put(told, ["a", "b"], 3)), '{"a":{"__proto__":1,"b":3}}');
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { diff } from "../src/document/diff";
import { reduce, start } from "../src/document/history";
import { type JsonObject, put } from "../src/document/json";
import { merge } from "../src/document/merge";
import { nodesOf } from "../src/document/parts";
import { rename } from "../src/document/rename";
import { saveRequest } from "../src/document/save-request";
import { echo } from "./samples";

test("what two people changed in different places is merged, and where both changed the same mine stays", () => {
  const mine = put(put(echo, ["name"], "Mine"), ["config", "publish_as_model"], false);
  const theirs = { ...put(echo, ["name"], "Theirs"), nodes: [...(echo.nodes as JsonObject[]), { id: "new" }] };
  const { document, conflicts } = merge(echo, mine, theirs);
  assert.deepEqual(
    [document.name, nodesOf(document).length, (document.config as JsonObject).publish_as_model],
    ["Mine", 3, false],
  );
  assert.deepEqual(conflicts, [{ path: ["name"], mine: "Mine", theirs: "Theirs" }]);
});

test("what one of them removed stays removed", () => {
  const theirs = { ...echo, nodes: [(echo.nodes as JsonObject[])[0]!] };
  assert.equal(nodesOf(merge(echo, put(echo, ["name"], "Mine"), theirs).document).length, 1);
});

test("a rename alone sends no content, and nothing is sent for nothing", () => {
  const saved = { ...echo, id: "flow_1", version: "1.0.0", metadata: { author: "a", description: "d" } };
  assert.equal(saveRequest(saved, structuredClone(saved)), null);
  assert.deepEqual(saveRequest(saved, put(saved, ["name"], "Other ")), { name: "Other" });
  assert.deepEqual(saveRequest(saved, put(saved, ["metadata", "description"], "")), { description: "" });
  assert.deepEqual(Object.keys(saveRequest(saved, put(saved, ["config", "x"], 1))!), ["content"]);
});

test("a diff names nodes, edges and values", () => {
  const nodes = echo.nodes as JsonObject[];
  const after = {
    ...put(echo, ["config", "publish_as_model"], false),
    nodes: [
      { ...nodes[0]!, position: { x: 9, y: 9 } },
      { ...nodes[1]!, config: { template: "Hi" } },
    ],
    edges: [],
  };
  assert.deepEqual(diff(echo, after), [
    { what: "changed", where: "config", details: ["publish_as_model: true → false"] },
    { what: "changed", where: "Node API (entry_api)", details: ["moved"] },
    { what: "changed", where: "Node Reply (llm_rigid)", details: ["template: “{{message}}” → “Hi”"] },
    { what: "removed", where: "Edge API → Reply", details: [] },
  ]);
});

test("a renamed node is told as renamed, and what names it has not changed", () => {
  const after = rename(echo, "reply", "answer");
  const renamed = { what: "changed", where: "Node Reply (llm_rigid)", details: ["renamed: reply → answer"] };
  assert.deepEqual(diff(echo, after), [renamed]);
  const other = { ...after, nodes: [(after.nodes as JsonObject[])[0]!, { id: "answer", type: "llm_flexible" }] };
  assert.deepEqual(
    diff(echo, other).map(({ what }) => what),
    ["removed", "added", "changed"],
  );
});

test("quick edits of the same are one step back", () => {
  let history = start({ a: 0 });
  for (const [a, at] of [
    [1, 0],
    [2, 100],
    [3, 9000],
  ] as const)
    history = reduce(history, { do: "edit", document: { a }, tag: "a", at });
  assert.deepEqual(reduce(history, { do: "undo" }).present, { a: 2 });
  const back = reduce(reduce(history, { do: "undo" }), { do: "undo" });
  assert.deepEqual([back.present, reduce(back, { do: "redo" }).present], [{ a: 0 }, { a: 2 }]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { boundsOf, LEGIBLE, startOf, viewportFor } from "../src/canvas/fit";
import { HEIGHT, WIDTH } from "../src/canvas/node-size";
import { edgesOf, nodesOf } from "../src/document/parts";
import { echo } from "./samples";

const PANE = { width: 900, height: 600 };

test("a flow that can be read whole is shown whole, in the middle", () => {
  const { zoom, x, y } = viewportFor(boundsOf([{ x: 100, y: 0 }])!, PANE);
  assert.deepEqual([zoom, x + 100 + WIDTH / 2, y + HEIGHT / 2], [1, 450, 300]);
});

test("a row of 61 nodes is shown from its start, at the smallest scale at which names can be read", () => {
  const row = Array.from({ length: 61 }, (_, index) => ({ x: index * 344, y: 40 }));
  const { zoom, x } = viewportFor(boundsOf(row)!, PANE, row[0]);
  assert.equal(zoom, LEGIBLE);
  assert.equal(x, 24);
  const last = viewportFor(boundsOf(row)!, PANE, row[60]);
  assert.equal((row[60]!.x + WIDTH) * last.zoom + last.x, 900 - 24);
});

test("a node in the middle of a long flow is shown in the middle", () => {
  const row = Array.from({ length: 61 }, (_, index) => ({ x: index * 344, y: 40 }));
  const { zoom, x } = viewportFor(boundsOf(row)!, PANE, row[30]);
  assert.equal((row[30]!.x + WIDTH / 2) * zoom + x, 450);
});

test("a reader begins with the entry", () => {
  const [nodes, edges] = [nodesOf(echo), edgesOf(echo)];
  assert.equal(startOf([...nodes].reverse(), edges), "entry");
  assert.equal(startOf(nodes.slice(1), []), "reply");
  assert.equal(startOf([], []), undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { placesOf, tidy } from "../src/canvas/layout";
import { HEIGHT, WIDTH } from "../src/canvas/node-size";
import { type Lanes, laneFor, leadsBack, roundedPath } from "../src/canvas/route";
import { cycleThrough } from "../src/document/cycles";
import type { JsonObject } from "../src/document/json";
import { edgesOf, nodesOf, type Place } from "../src/document/parts";

function flowOf(pairs: string[], more: JsonObject = {}): JsonObject {
  const ids = [...new Set(pairs.flatMap((pair) => pair.split(">")))];
  const edges = pairs.map((pair) => {
    const [source, target] = pair.split(">") as [string, string];
    return { id: pair, source: { node: source }, target: { node: target } };
  });
  return { nodes: ids.map((id) => ({ id, ...more })), edges };
}

function laidOut(flow: JsonObject, direction: "rows" | "right" | "down" = "right"): Map<string, Place> {
  return tidy(nodesOf(flow), edgesOf(flow), direction);
}

const chain = (count: number) => Array.from({ length: count }, (_, index) => `n${index}>n${index + 1}`);

test("the layout gives each step a column, circles included", () => {
  const places = laidOut(flowOf(["a>b", "b>c", "a>c", "c>b"]));
  const [a, b, c] = ["a", "b", "c"].map((key) => places.get(key)!.x) as [number, number, number];
  assert.ok(a + WIDTH < b && b + WIDTH < c);
});

test("a long flow is wrapped into rows that a canvas of 900 px shows at the smallest legible scale", () => {
  const places = [...laidOut(flowOf(chain(60)), "rows").values()];
  const right = Math.max(...places.map(({ x }) => x + WIDTH));
  assert.ok(right * 0.75 < 900);
  assert.equal(new Set(places.map(({ x, y }) => `${x} ${y}`)).size, 61);
});

test("from top to bottom each step stands below the one before", () => {
  const places = laidOut(flowOf(["a>b", "b>c"]), "down");
  assert.ok(places.get("a")!.y + HEIGHT < places.get("b")!.y && places.get("b")!.y + HEIGHT < places.get("c")!.y);
});

test("the same flow always gets the same places, and branches stay together", () => {
  const flow = flowOf(["a>b1", "a>c1", "b1>b2", "c1>c2", "b2>z", "c2>z"]);
  const places = laidOut(flow);
  assert.deepEqual([...laidOut(flow)], [...places]);
  const y = (key: string) => places.get(key)!.y;
  assert.ok(y("b1") === y("b2") && y("c1") === y("c2") && y("b1") !== y("c1"));
});

test("nodes that an import put at 0, 0 are laid out", () => {
  const flow = flowOf(["a>b", "b>c"], { position: { x: 0, y: 0 } });
  const places = placesOf(nodesOf(flow), edgesOf(flow), "right");
  assert.equal(new Set([...places.values()].map(({ x }) => x)).size, 3);
  assert.deepEqual(nodesOf({ nodes: [{ id: "a", position: { x: 0, y: 0 } }] })[0]!.place, { x: 0, y: 0 });
});

test("an edge that leads back runs where no node stands", () => {
  const [first, last] = [
    { x: 0, y: 0 },
    { x: 600, y: 0 },
  ];
  const row = new Map([
    ["a", first],
    ["b", { x: 300, y: 0 }],
    ["c", last],
  ]);
  assert.equal(leadsBack(first, last, false), false);
  assert.equal(leadsBack(last, first, false), true);
  const taken: Lanes = [];
  const lane = laneFor({ source: "c", target: "a" }, row, false, taken);
  assert.ok(lane < 0 || lane > HEIGHT);
  assert.equal(laneFor({ source: "b", target: "a" }, row, false, taken), lane);
  assert.notEqual(laneFor({ source: "a", target: "b" }, row, false, taken), lane);
});

test("an edge to the next row runs between the rows", () => {
  const rows = new Map([0, 1].flatMap((x) => [0, 90, 240].map((y) => [`${x} ${y}`, { x: x * 300, y }] as const)));
  const lane = laneFor({ source: "1 0", target: "0 240" }, rows, false, []);
  assert.ok(lane > 90 + HEIGHT && lane < 240);
});

test("a path goes round its corners", () => {
  const corner = [
    { x: 0, y: 0 },
    { x: 100, y: 0 },
    { x: 100, y: 100 },
  ];
  assert.equal(roundedPath(corner), "M0 0L92 0Q100 0 100 8L100 100");
});

test("a circle is all nodes that lead back to themselves through one of them", () => {
  const edges = edgesOf(flowOf(["a>b", "b>c", "c>b", "c>d"]));
  assert.deepEqual([...cycleThrough("b", edges)].sort(), ["b", "c"]);
  assert.deepEqual([...cycleThrough("a", edges)], []);
});

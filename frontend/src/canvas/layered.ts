// Where nodes stand that edges join: in layers by dagre, from left to right or from top to bottom.

import { Graph, layout } from "@dagrejs/dagre";
import type { Direction } from "../document/canvas-settings";
import type { EdgeView, NodeView, Place } from "../document/parts";
import { HEIGHT, WIDTH } from "./node-size";

const GAP_X = 76;
const GAP_Y = 40;
const GAP_DOWN = 56;
/** Between two bands, where edges lead back to the left. */
const GAP_BAND = 76;
/** As many as a canvas of 900 pixels shows at the smallest scale that is legible. */
const COLUMNS = 4;
/** What is kept free for a condition beside its edge. */
const LABEL = { width: 92, height: 18 };

/** A place for each of the nodes, all of them joined by edges; the same flow always gets the same places. */
export function layered(nodes: NodeView[], edges: EdgeView[], direction: Direction): Map<string, Place> {
  const isDown = direction === "down";
  const graph = new Graph();
  graph.setGraph({
    rankdir: isDown ? "TB" : "LR",
    nodesep: GAP_Y,
    edgesep: GAP_Y / 2,
    ranksep: isDown ? GAP_DOWN : GAP_X,
  });
  for (const { key } of nodes) graph.setNode(key, { width: WIDTH, height: HEIGHT });
  for (const { source, target, type } of edges) {
    const isDrawn = source !== target && graph.hasNode(source) && graph.hasNode(target);
    if (isDrawn) graph.setEdge(source, target, type === "conditional" ? { ...LABEL } : {});
  }
  layout(graph);
  const places = new Map(nodes.map(({ key }) => [key, cornerOf(graph.node(key))] as const));
  return direction === "rows" ? wrap(places) : places;
}

function cornerOf({ x, y }: { x?: number; y?: number }): Place {
  return { x: Math.round(x! - WIDTH / 2), y: Math.round(y! - HEIGHT / 2) };
}

/** Columns in bands, one below the other, like the lines of a text; all bands have about as many. */
function wrap(places: Map<string, Place>): Map<string, Place> {
  const columns = [...new Set([...places.values()].map(({ x }) => x))].sort((one, other) => one - other);
  const perBand = Math.ceil(columns.length / Math.ceil(columns.length / COLUMNS)) || 1;
  const bandOf = ({ x }: Place) => Math.floor(columns.indexOf(x) / perBand);
  const bands = Array.from({ length: Math.ceil(columns.length / perBand) }, (_, index) =>
    [...places].filter(([, place]) => bandOf(place) === index),
  );
  let top = 0;
  const wrapped = new Map<string, Place>();
  for (const band of bands) {
    const first = { x: Math.min(...band.map(([, { x }]) => x)), y: Math.min(...band.map(([, { y }]) => y)) };
    for (const [key, { x, y }] of band) wrapped.set(key, { x: x - first.x, y: y - first.y + top });
    top = Math.max(...band.map(([key]) => wrapped.get(key)!.y)) + HEIGHT + GAP_BAND;
  }
  return wrapped;
}

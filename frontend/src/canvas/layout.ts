// Where nodes are drawn: as the document says, or where a layout puts them.

import type { Direction } from "../document/canvas-settings";
import type { EdgeView, NodeView, Place } from "../document/parts";
import { layered } from "./layered";
import { HEIGHT, WIDTH } from "./node-size";

const GAP = 40;

/** A place for every node, whatever place it had. */
export function tidy(nodes: NodeView[], edges: EdgeView[], direction: Direction): Map<string, Place> {
  const known = new Set(nodes.map((node) => node.key));
  const links = edges.filter(({ source, target }) => source !== target && known.has(source) && known.has(target));
  const linked = new Set(links.flatMap((edge) => [edge.source, edge.target]));
  const places = layered(
    nodes.filter((node) => linked.has(node.key)),
    links,
    direction,
  );
  // Nodes without any edge follow in rows below.
  const alone = nodes.filter((node) => !linked.has(node.key));
  const bottom = bottomOf(places);
  const perRow = Math.max(3, Math.ceil(Math.sqrt(alone.length)));
  for (const [index, node] of alone.entries()) {
    places.set(node.key, {
      x: (index % perRow) * (WIDTH + GAP),
      y: bottom + Math.floor(index / perRow) * (HEIGHT + GAP),
    });
  }
  return places;
}

/** The place of each node; those that have none in the document are laid out below the others. */
export function placesOf(nodes: NodeView[], edges: EdgeView[], direction: Direction): Map<string, Place> {
  const places = new Map(nodes.flatMap((node) => (node.place ? [[node.key, node.place] as const] : [])));
  if (places.size === nodes.length) return places;
  const bottom = bottomOf(places);
  const left = Math.min(...[...places.values()].map((place) => place.x), Infinity);
  const unplaced = nodes.filter((node) => !node.place);
  for (const [key, place] of remembered(unplaced, edges, direction)) {
    places.set(key, { x: place.x + (Number.isFinite(left) ? left : 0), y: place.y + bottom });
  }
  return places;
}

function bottomOf(places: Map<string, Place>): number {
  return Math.max(...[...places.values()].map((place) => place.y + HEIGHT + GAP), 0);
}

let last = { question: "", answer: new Map<string, Place>() };

/** The layout, which is only made anew when nodes or edges have come or gone, not with each letter that is typed. */
function remembered(nodes: NodeView[], edges: EdgeView[], direction: Direction): Map<string, Place> {
  const parts = [nodes.map(({ key }) => key), edges.map(({ source, target, type }) => [source, target, type])];
  const question = JSON.stringify([direction, ...parts]);
  if (question !== last.question) last = { question, answer: tidy(nodes, edges, direction) };
  return last.answer;
}

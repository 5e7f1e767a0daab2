// Layered layout: one column for each step from the entry; within a column, nodes are near those they come from.

import type { EdgeView, NodeView, Place } from "../document/parts";

export const WIDTH = 208;
export const HEIGHT = 64;
const GAP_X = 136;
const GAP_Y = 40;
const SWEEPS = 4;

/** The place of a node with its middle at this point. */
export function centredAt({ x, y }: Place): Place {
  return { x: x - WIDTH / 2, y: y - HEIGHT / 2 };
}

/** A place for every node, whatever place it had. */
export function tidy(nodes: NodeView[], edges: EdgeView[]): Map<string, Place> {
  const linked = new Set(
    edges.filter((edge) => edge.source !== edge.target).flatMap((edge) => [edge.source, edge.target]),
  );
  const alone = nodes.filter((node) => !linked.has(node.key));
  const places = layered(
    nodes.filter((node) => linked.has(node.key)),
    edges,
  );
  // Nodes without any edge follow in rows below.
  const bottom = Math.max(...[...places.values()].map((place) => place.y + HEIGHT + GAP_Y), 0);
  const perRow = Math.max(3, Math.ceil(Math.sqrt(alone.length)));
  for (const [index, node] of alone.entries()) {
    places.set(node.key, {
      x: (index % perRow) * (WIDTH + GAP_Y),
      y: bottom + Math.floor(index / perRow) * (HEIGHT + GAP_Y),
    });
  }
  return places;
}

function layered(nodes: NodeView[], edges: EdgeView[]): Map<string, Place> {
  const keys = nodes.map((node) => node.key);
  const known = new Set(keys);
  const links = edges
    .map((edge) => [edge.source, edge.target] as const)
    .filter(([source, target]) => source !== target && known.has(source) && known.has(target));
  const forward = acyclic(keys, links);
  const column = columnsOf(keys, forward);
  const columns: string[][] = Array.from({ length: Math.max(-1, ...column.values()) + 1 }, () => []);
  for (const key of keys) columns[column.get(key)!]!.push(key);
  settle(columns, forward);
  const tallest = Math.max(...columns.map((names) => names.length), 1);
  const places = new Map<string, Place>();
  for (const [x, names] of columns.entries()) {
    const top = ((tallest - names.length) * (HEIGHT + GAP_Y)) / 2;
    for (const [y, key] of names.entries()) {
      places.set(key, { x: x * (WIDTH + GAP_X), y: Math.round(top + y * (HEIGHT + GAP_Y)) });
    }
  }
  return places;
}

/** Where each node is drawn: as the document says, and laid out below those if it does not say. */
export function placesOf(nodes: NodeView[], edges: EdgeView[]): Map<string, Place> {
  const places = new Map(nodes.flatMap((node) => (node.place ? [[node.key, node.place] as const] : [])));
  if (places.size === nodes.length) return places;
  const bottom = Math.max(...[...places.values()].map((place) => place.y + HEIGHT + GAP_Y), 0);
  const left = Math.min(...[...places.values()].map((place) => place.x), Infinity);
  const unplaced = nodes.filter((node) => !node.place);
  for (const [key, place] of tidy(unplaced, edges)) {
    places.set(key, { x: place.x + (Number.isFinite(left) ? left : 0), y: place.y + bottom });
  }
  return places;
}

type Link = readonly [string, string];

/** The links without those that close a cycle: a depth-first walk, on a stack of its own, leaves out each way back. */
function acyclic(keys: string[], links: Link[]): Link[] {
  const following = bySource(links);
  const state = new Map<string, "open" | "done">();
  const kept: Link[] = [];
  const entries = [...keys.filter((key) => !links.some(([, target]) => target === key)), ...keys];
  for (const entry of entries) {
    if (state.has(entry)) continue;
    const stack: { key: string; rest: Link[] }[] = [{ key: entry, rest: [...(following.get(entry) ?? [])] }];
    state.set(entry, "open");
    while (stack.length) {
      const top = stack[stack.length - 1]!;
      const link = top.rest.shift();
      if (!link) {
        state.set(top.key, "done");
        stack.pop();
        continue;
      }
      if (state.get(link[1]) === "open") continue;
      kept.push(link);
      if (state.has(link[1])) continue;
      state.set(link[1], "open");
      stack.push({ key: link[1], rest: [...(following.get(link[1]) ?? [])] });
    }
  }
  return kept;
}

function bySource(links: Link[]): Map<string, Link[]> {
  const groups = new Map<string, Link[]>();
  for (const link of links) groups.set(link[0], [...(groups.get(link[0]) ?? []), link]);
  return groups;
}

/** The length of the longest path from a start to each node. */
function columnsOf(keys: string[], links: Link[]): Map<string, number> {
  const columns = new Map(keys.map((key) => [key, 0]));
  const waiting = new Map(keys.map((key) => [key, 0]));
  for (const [, target] of links) waiting.set(target, waiting.get(target)! + 1);
  const following = bySource(links);
  const ready = keys.filter((key) => !waiting.get(key));
  while (ready.length) {
    const key = ready.pop()!;
    for (const [, target] of following.get(key) ?? []) {
      columns.set(target, Math.max(columns.get(target)!, columns.get(key)! + 1));
      waiting.set(target, waiting.get(target)! - 1);
      if (!waiting.get(target)) ready.push(target);
    }
  }
  return columns;
}

/** Order each column by the mean row of its neighbours, sweeping right and left in turn, so that few edges cross. */
function settle(columns: string[][], links: Link[]): void {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  for (const [source, target] of links) {
    before.set(target, [...(before.get(target) ?? []), source]);
    after.set(source, [...(after.get(source) ?? []), target]);
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const isForward = sweep % 2 === 0;
    const row = new Map(
      columns.flatMap((names) => names.map((key, index) => [key, index - (names.length - 1) / 2] as const)),
    );
    for (const names of isForward ? columns : [...columns].reverse()) {
      const weights = new Map(
        names.map((key) => [
          key,
          mean(((isForward ? before : after).get(key) ?? []).map((each) => row.get(each)!)) ?? row.get(key)!,
        ]),
      );
      names.sort((one, other) => weights.get(one)! - weights.get(other)!);
      for (const [index, key] of names.entries()) row.set(key, index - (names.length - 1) / 2);
    }
  }
}

function mean(values: number[]): number | undefined {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined;
}

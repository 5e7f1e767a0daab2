// Which nodes wait for each other in a circle.

import type { EdgeView } from "./parts";

/** The nodes, by their keys, that a node leads to and that lead back to it; empty where none does. */
export function cycleThrough(key: string, edges: EdgeView[]): Set<string> {
  const ahead = reached(key, edges, "source", "target");
  const behind = reached(key, edges, "target", "source");
  return new Set([...ahead].filter((each) => behind.has(each)));
}

function reached(start: string, edges: EdgeView[], from: "source" | "target", to: "source" | "target"): Set<string> {
  const next = new Map<string, string[]>();
  for (const edge of edges) next.set(edge[from], [...(next.get(edge[from]) ?? []), edge[to]]);
  const found = new Set<string>();
  const waiting = [...(next.get(start) ?? [])];
  while (waiting.length) {
    const key = waiting.pop()!;
    if (found.has(key)) continue;
    found.add(key);
    waiting.push(...(next.get(key) ?? []));
  }
  return found;
}

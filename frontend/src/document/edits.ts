// Edits of nodes and edges: each gives a new document in which everything else is as it was.

import { isObject, type JsonObject, listOf, objectOf } from "./json";
import { edgesOf, nodesOf, type Place } from "./parts";

/** Replace the entry of a list by what `change` makes of it. */
export function changeEntry(
  document: JsonObject,
  list: "nodes" | "edges",
  index: number,
  change: (raw: JsonObject) => JsonObject,
): JsonObject {
  const entries = listOf(document[list]).map((entry, at) => (at === index && isObject(entry) ? change(entry) : entry));
  return { ...document, [list]: entries };
}

export function moveNodes(document: JsonObject, places: Map<string, Place>): JsonObject {
  const moved = new Map(
    nodesOf(document)
      .filter((node) => places.has(node.key))
      .map((node) => [node.index, places.get(node.key)!]),
  );
  const nodes = listOf(document.nodes).map((raw, index) => {
    const place = moved.get(index);
    if (!place || !isObject(raw)) return raw;
    return { ...raw, position: { ...objectOf(raw.position), x: Math.round(place.x), y: Math.round(place.y) } };
  });
  return { ...document, nodes };
}

/** Take nodes away with every edge from or to them, and take edges away. */
export function removeParts(document: JsonObject, nodeKeys: Set<string>, edgeKeys: Set<string>): JsonObject {
  const gone = nodesOf(document).filter((node) => nodeKeys.has(node.key));
  const goneNodes = new Set(gone.map((node) => node.index));
  // Where two nodes share an id, the edges are drawn at the first, so they go with that one only.
  const goneIds = new Set(gone.filter((node) => node.key === node.id).map((node) => node.id));
  const goneEdges = new Set(
    edgesOf(document)
      .filter((edge) => edgeKeys.has(edge.key) || goneIds.has(edge.source) || goneIds.has(edge.target))
      .map((edge) => edge.index),
  );
  return {
    ...document,
    nodes: listOf(document.nodes).filter((_, index) => !goneNodes.has(index)),
    edges: listOf(document.edges).filter((_, index) => !goneEdges.has(index)),
  };
}

/** Put an edge before or behind the next one from the same node: the first condition that holds decides. */
export function moveEdge(document: JsonObject, key: string, by: -1 | 1): JsonObject {
  const edges = edgesOf(document);
  const mine = edges.find((edge) => edge.key === key);
  if (!mine) return document;
  const siblings = edges.filter((edge) => edge.source === mine.source);
  const other = siblings[siblings.indexOf(mine) + by];
  if (!other) return document;
  const entries = [...listOf(document.edges)];
  [entries[mine.index], entries[other.index]] = [entries[other.index]!, entries[mine.index]!];
  return { ...document, edges: entries };
}

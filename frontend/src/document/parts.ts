// The flow document as the canvas sees it. Nodes and edges are looked at where they stand; an edit replaces the one
// part that it is about, so whatever this editor does not know survives.

import { isObject, type Json, type JsonObject, listOf, objectOf, textOf } from "./json";

export type Place = { x: number; y: number };
export type Side = "inputs" | "outputs";

/** A node as far as it can be read. `key` is its name on the canvas: the id, or a made-up one where that is no use. */
export type NodeView = {
  key: string;
  index: number;
  id: string;
  type: string;
  label: string;
  place: Place | null;
  config: JsonObject;
  inputs: string[];
  outputs: string[];
  raw: JsonObject;
};

export type EdgeView = {
  key: string;
  index: number;
  id: string;
  type: string;
  source: string;
  target: string;
  sourcePort: string | null;
  targetPort: string | null;
  condition: string;
  raw: JsonObject;
};

export const ELSE = "else";

export function nodesOf(document: JsonObject): NodeView[] {
  const taken = new Set<string>();
  return listOf(document.nodes).flatMap((raw, index) => {
    if (!isObject(raw)) return [];
    const id = textOf(raw.id);
    const key = id && !taken.has(id) ? id : `#${index}`;
    taken.add(key);
    return [
      {
        key,
        index,
        id,
        raw,
        type: textOf(raw.type),
        label: textOf(raw.label),
        place: placeOf(raw.position),
        config: objectOf(raw.config),
        inputs: portsOf(raw.inputs),
        outputs: portsOf(raw.outputs),
      },
    ];
  });
}

export function edgesOf(document: JsonObject): EdgeView[] {
  const taken = new Set<string>();
  return listOf(document.edges).flatMap((raw, index) => {
    if (!isObject(raw)) return [];
    const id = textOf(raw.id);
    const key = id && !taken.has(id) ? id : `#${index}`;
    taken.add(key);
    const source = objectOf(raw.source);
    const target = objectOf(raw.target);
    return [
      {
        key,
        index,
        id,
        raw,
        type: textOf(raw.type) || "sequential",
        source: textOf(source.node),
        target: textOf(target.node),
        sourcePort: textOf(source.port) || null,
        targetPort: textOf(target.port) || null,
        condition: textOf(raw.condition),
      },
    ];
  });
}

/** What a person calls the node. */
export function nameOf(node: { label: string; id: string; key: string }): string {
  return node.label || node.id || `Node ${node.key}`;
}

export function isElse(edge: EdgeView): boolean {
  return edge.condition.trim() === ELSE;
}

/** Replace the entry of a list by what `change` makes of it. */
export function changeEntry(
  document: JsonObject,
  list: "nodes" | "edges",
  index: number,
  change: (raw: JsonObject) => JsonObject,
): JsonObject {
  const entries = listOf(document[list]).map((entry, place) =>
    place === index && isObject(entry) ? change(entry) : entry,
  );
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

/** Take nodes away, with every edge that leads from or to them, and edges. */
export function remove(document: JsonObject, nodeKeys: Set<string>, edgeKeys: Set<string>): JsonObject {
  const gone = nodesOf(document).filter((node) => nodeKeys.has(node.key));
  const goneNodes = new Set(gone.map((node) => node.index));
  // A second node of the same id keeps the edges: they are drawn at the first.
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

/** Add an edge; null when it is already there or would lead from a node to itself. */
export function connect(
  document: JsonObject,
  link: { source: string; target: string; sourcePort?: string | null; targetPort?: string | null; type?: string },
): { document: JsonObject; key: string } | null {
  const { source, target } = link;
  const nodes = new Map(nodesOf(document).map((node) => [node.key, node]));
  const [from, to] = [nodes.get(source), nodes.get(target)];
  if (!from || !to || from === to || !from.id || !to.id) return null;
  const sourcePort = link.sourcePort ?? from.outputs[0] ?? "out";
  const targetPort = link.targetPort ?? to.inputs[0] ?? "in";
  const edges = edgesOf(document);
  const type =
    link.type ??
    (edges.some((edge) => edge.source === source && edge.type === "conditional") ? "conditional" : "sequential");
  const isThere = edges.some(
    (edge) =>
      edge.source === source &&
      edge.target === target &&
      (edge.sourcePort ?? sourcePort) === sourcePort &&
      (edge.targetPort ?? targetPort) === targetPort,
  );
  if (isThere && type !== "conditional") return null;
  const key = unused(`${source}-${target}`, new Set(edges.map((edge) => edge.key)));
  const edge: JsonObject = {
    id: key,
    type,
    source: { node: from.id, port: sourcePort },
    target: { node: to.id, port: targetPort },
  };
  if (type === "conditional") edge.condition = "";
  let changed = declarePort(document, from, "outputs", sourcePort);
  changed = declarePort(changed, to, "inputs", targetPort);
  return { document: { ...changed, edges: [...listOf(changed.edges), edge] }, key };
}

/** A node that declares ports takes no others; one that declares none takes any. */
function declarePort(document: JsonObject, node: NodeView, side: Side, port: string): JsonObject {
  if ((!node.inputs.length && !node.outputs.length) || node[side].includes(port)) return document;
  return changeEntry(document, "nodes", node.index, (raw) => ({
    ...raw,
    [side]: [...listOf(raw[side]), newPort(port)],
  }));
}

export function newPort(id: string): JsonObject {
  return { id, label: id, type: "any" };
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

export type Clip = { nodes: JsonObject[]; edges: JsonObject[] };

/** The nodes and the edges among them, as they stand. */
export function copied(document: JsonObject, keys: Set<string>): Clip {
  const nodes = nodesOf(document).filter((node) => keys.has(node.key));
  const ids = new Set(nodes.map((node) => node.id));
  const edges = edgesOf(document).filter((edge) => ids.has(edge.source) && ids.has(edge.target));
  return { nodes: nodes.map((node) => node.raw), edges: edges.map((edge) => edge.raw) };
}

/** Add a copy under names of its own; gives the keys of the new nodes. */
export function pasted(document: JsonObject, clip: Clip, shift: Place): { document: JsonObject; keys: string[] } {
  const nodeIds = new Set(nodesOf(document).map((node) => node.id));
  const edgeIds = new Set(edgesOf(document).map((edge) => edge.id));
  const renamed = new Map<string, string>();
  const nodes = clip.nodes.map((raw) => {
    const id = unused(textOf(raw.id) || "node", nodeIds);
    nodeIds.add(id);
    renamed.set(textOf(raw.id), id);
    const place = placeOf(raw.position) ?? { x: 0, y: 0 };
    return { ...raw, id, position: { ...objectOf(raw.position), x: place.x + shift.x, y: place.y + shift.y } };
  });
  const edges = clip.edges.map((raw) => {
    const [source, target] = [objectOf(raw.source), objectOf(raw.target)];
    const from = renamed.get(textOf(source.node)) ?? textOf(source.node);
    const to = renamed.get(textOf(target.node)) ?? textOf(target.node);
    const id = unused(`${from}-${to}`, edgeIds);
    edgeIds.add(id);
    return { ...raw, id, source: { ...source, node: from }, target: { ...target, node: to } };
  });
  return {
    document: {
      ...document,
      nodes: [...listOf(document.nodes), ...nodes],
      edges: [...listOf(document.edges), ...edges],
    },
    keys: nodes.map((node) => node.id),
  };
}

/** The name, or with the first number behind it that makes it new. */
export function unused(name: string, taken: Set<string>): string {
  if (!taken.has(name)) return name;
  const stem = name.replace(/[-_]\d+$/, "");
  let number = 2;
  while (taken.has(`${stem}_${number}`)) number += 1;
  return `${stem}_${number}`;
}

export function placeOf(value: Json | undefined): Place | null {
  const { x, y } = objectOf(value);
  return typeof x === "number" && typeof y === "number" && Math.abs(x) < 1e6 && Math.abs(y) < 1e6 ? { x, y } : null;
}

function portsOf(value: Json | undefined): string[] {
  return listOf(value).flatMap((port) => (isObject(port) && textOf(port.id) ? [textOf(port.id)] : []));
}

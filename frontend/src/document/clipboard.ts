// Nodes that are copied and pasted, within this editor or through the system's clipboard.

import { type JsonObject, listOf, objectOf, parse, textOf } from "./json";
import { unusedName } from "./names";
import { edgesOf, nodesOf, type Place, placeOf } from "./parts";

export type Clip = { nodes: JsonObject[]; edges: JsonObject[] };

const MARK = "scaigrid_nodes";

/** The nodes and the edges among them, as they stand. */
export function copyNodes(document: JsonObject, keys: Set<string>): Clip {
  const nodes = nodesOf(document).filter((node) => keys.has(node.key));
  const ids = new Set(nodes.map((node) => node.id));
  const edges = edgesOf(document).filter((edge) => ids.has(edge.source) && ids.has(edge.target));
  return { nodes: nodes.map((node) => node.raw), edges: edges.map((edge) => edge.raw) };
}

/** Add a copy under ids of its own, moved by `shift`; gives the keys of the new nodes. */
export function pasteNodes(document: JsonObject, clip: Clip, shift: Place): { document: JsonObject; keys: string[] } {
  const ids = newIds(document, clip);
  const nodes = clip.nodes.map((raw, index) => {
    const { x, y } = placeOf(raw.position) ?? { x: 0, y: 0 };
    const position = { ...objectOf(raw.position), x: x + shift.x, y: y + shift.y };
    return { ...raw, id: ids[index]!, position };
  });
  const renamed = new Map(clip.nodes.map((raw, index) => [textOf(raw.id), ids[index]!]));
  return {
    document: {
      ...document,
      nodes: [...listOf(document.nodes), ...nodes],
      edges: [...listOf(document.edges), ...newEdges(document, clip.edges, renamed)],
    },
    keys: ids,
  };
}

function newIds(document: JsonObject, clip: Clip): string[] {
  const taken = new Set(nodesOf(document).map((node) => node.id));
  return clip.nodes.map((raw) => {
    const id = unusedName(textOf(raw.id) || "node", taken);
    taken.add(id);
    return id;
  });
}

function newEdges(document: JsonObject, edges: JsonObject[], renamed: Map<string, string>): JsonObject[] {
  const taken = new Set(edgesOf(document).map((edge) => edge.id));
  return edges.map((raw) => {
    const [source, target] = [objectOf(raw.source), objectOf(raw.target)];
    const from = renamed.get(textOf(source.node)) ?? textOf(source.node);
    const to = renamed.get(textOf(target.node)) ?? textOf(target.node);
    const id = unusedName(`${from}-${to}`, taken);
    taken.add(id);
    return { ...raw, id, source: { ...source, node: from }, target: { ...target, node: to } };
  });
}

/** The clip with its nodes moved, so that pasting it again does not cover the last paste. */
export function shiftClip(clip: Clip, shift: Place): Clip {
  return { nodes: clip.nodes.map((node) => shiftNode(node, shift)), edges: clip.edges };
}

function shiftNode(node: JsonObject, shift: Place): JsonObject {
  const { x, y } = objectOf(node.position);
  if (typeof x !== "number" || typeof y !== "number") return node;
  return { ...node, position: { ...objectOf(node.position), x: x + shift.x, y: y + shift.y } };
}

/** The clip as the system's clipboard carries it. */
export function writeClip(clip: Clip): string {
  return JSON.stringify({ [MARK]: clip });
}

/** The clip that such a text holds; null for any other text. */
export function readClip(text: string): Clip | null {
  if (!text.includes(MARK)) return null;
  try {
    const { nodes, edges } = objectOf(objectOf(parse(text))[MARK]);
    return Array.isArray(nodes) && Array.isArray(edges) ? ({ nodes, edges } as Clip) : null;
  } catch {
    return null;
  }
}

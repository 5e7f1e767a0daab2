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
  const nodes = listOf(document.nodes).flatMap((raw, index) => {
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
  return unstacked(nodes);
}

/** Tools that place nothing write 0, 0 for every node: where several stand there, none has been placed. */
function unstacked(nodes: NodeView[]): NodeView[] {
  const isAtOrigin = ({ place }: NodeView) => place?.x === 0 && place.y === 0;
  if (nodes.filter(isAtOrigin).length < 2) return nodes;
  return nodes.map((node) => (isAtOrigin(node) ? { ...node, place: null } : node));
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

/** A node that the model of another calls as a tool: by the config alone, no edge leads there. */
export type ToolLink = { source: string; target: string; name: string };

export function toolLinksOf(nodes: NodeView[]): ToolLink[] {
  const keys = new Map(nodes.map((node) => [node.id, node.key]));
  return nodes.flatMap((node) =>
    listOf(node.config.tools).flatMap((raw) => {
      const target = keys.get(textOf(objectOf(raw).node));
      return target && target !== node.key ? [{ source: node.key, target, name: textOf(objectOf(raw).name) }] : [];
    }),
  );
}

/** What a person calls the node. */
export function nameOf(node: { label: string; id: string; key: string }): string {
  return node.label || node.id || `Node ${node.key}`;
}

export function isElse(edge: EdgeView): boolean {
  return edge.condition.trim() === ELSE;
}

export function placeOf(value: Json | undefined): Place | null {
  const { x, y } = objectOf(value);
  return typeof x === "number" && typeof y === "number" && Math.abs(x) < 1e6 && Math.abs(y) < 1e6 ? { x, y } : null;
}

function portsOf(value: Json | undefined): string[] {
  return listOf(value).flatMap((port) => (isObject(port) && textOf(port.id) ? [textOf(port.id)] : []));
}

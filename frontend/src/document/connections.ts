// New edges, and the ports that they need.

import { changeEntry } from "./edits";
import { type JsonObject, listOf } from "./json";
import { unusedName } from "./names";
import { type EdgeView, edgesOf, type NodeView, nodesOf, type Side } from "./parts";

/** An edge that is asked for, between nodes by their keys. */
export type Link = {
  source: string;
  target: string;
  sourcePort?: string | null;
  targetPort?: string | null;
  type?: string;
};

type Ports = { sourcePort: string; targetPort: string };

/** Add an edge; null when it is already there or would lead from a node to itself. */
export function connect(document: JsonObject, link: Link): { document: JsonObject; key: string } | null {
  const nodes = new Map(nodesOf(document).map((node) => [node.key, node]));
  const [from, to] = [nodes.get(link.source), nodes.get(link.target)];
  if (!from || !to || from === to || !from.id || !to.id) return null;
  const edges = edgesOf(document);
  const ports = {
    sourcePort: link.sourcePort ?? from.outputs[0] ?? "out",
    targetPort: link.targetPort ?? to.inputs[0] ?? "in",
  };
  const type = link.type ?? typeOfNext(edges, link.source);
  if (type !== "conditional" && edges.some((edge) => joins(edge, link, ports))) return null;
  const key = unusedName(`${link.source}-${link.target}`, new Set(edges.map((edge) => edge.key)));
  const edge: JsonObject = {
    id: key,
    type,
    source: { node: from.id, port: ports.sourcePort },
    target: { node: to.id, port: ports.targetPort },
    ...(type === "conditional" && { condition: "" }),
  };
  const declared = declarePort(
    declarePort(document, from, "outputs", ports.sourcePort),
    to,
    "inputs",
    ports.targetPort,
  );
  return { document: { ...declared, edges: [...listOf(declared.edges), edge] }, key };
}

/** One more way out of a node that decides is conditional like the others. */
function typeOfNext(edges: EdgeView[], source: string): string {
  const decides = edges.some((edge) => edge.source === source && edge.type === "conditional");
  return decides ? "conditional" : "sequential";
}

/** Whether the edge already joins these two; one that names no ports takes any. */
function joins(edge: EdgeView, link: Link, { sourcePort, targetPort }: Ports): boolean {
  return (
    edge.source === link.source &&
    edge.target === link.target &&
    (edge.sourcePort ?? sourcePort) === sourcePort &&
    (edge.targetPort ?? targetPort) === targetPort
  );
}

/** A node that declares ports takes no others; one that declares none takes any. */
function declarePort(document: JsonObject, node: NodeView, side: Side, port: string): JsonObject {
  if ((!node.inputs.length && !node.outputs.length) || node[side].includes(port)) return document;
  return changeEntry(document, "nodes", node.index, (raw) => ({
    ...raw,
    [side]: [...listOf(raw[side]), newPort(port)],
  }));
}

/** A port as documents declare it. */
export function newPort(id: string): JsonObject {
  return { id, label: id, type: "any" };
}

// New edges, and the ports that they need.

import { changeEntry } from "./edits";
import { type JsonObject, listOf } from "./json";
import { unusedName } from "./names";
import { type EdgeView, edgesOf, type NodeView, nameOf, nodesOf, type Side } from "./parts";

/** An edge that is asked for, between nodes by their keys. */
export type Link = {
  source: string;
  target: string;
  sourcePort?: string | null;
  targetPort?: string | null;
};

type Ports = { sourcePort: string; targetPort: string };

/** Why there can be no such edge, in a sentence, or nothing. */
export function connectProblem(document: JsonObject, link: Link): string {
  const [from, to] = endsOf(document, link);
  if (!from || !to) return "One of the two nodes is gone.";
  if (from === to) return "A node cannot lead to itself: repeat it with a loop node.";
  if (!from.id || !to.id) return "Both nodes need an id before an edge can name them.";
  const edges = edgesOf(document);
  if (typeOfNext(edges, from) === "conditional" || !edges.some((edge) => joins(edge, link, portsOf(from, to, link))))
    return "";
  return `${nameOf(from)} leads to ${nameOf(to)} already.`;
}

/** Add an edge; null where `connectProblem` says why not. */
export function connect(document: JsonObject, link: Link): { document: JsonObject; key: string } | null {
  if (connectProblem(document, link)) return null;
  const [from, to] = endsOf(document, link) as [NodeView, NodeView];
  const edges = edgesOf(document);
  const ports = portsOf(from, to, link);
  const type = typeOfNext(edges, from);
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

function endsOf(document: JsonObject, { source, target }: Link): (NodeView | undefined)[] {
  const nodes = nodesOf(document);
  return [source, target].map((key) => nodes.find((node) => node.key === key));
}

function portsOf(from: NodeView, to: NodeView, { sourcePort, targetPort }: Link): Ports {
  return { sourcePort: sourcePort ?? from.outputs[0] ?? "out", targetPort: targetPort ?? to.inputs[0] ?? "in" };
}

/** A way out of a node that decides is conditional. */
export function typeOfNext(edges: EdgeView[], { key, type }: NodeView): "conditional" | "sequential" {
  const decides = type === "logic_decision" || edges.some((edge) => edge.source === key && edge.type === "conditional");
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

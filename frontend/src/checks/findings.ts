// Which part of the document a diagnostic is about.

import type { EdgeView, NodeView } from "../document/parts";
import type { Diagnostic } from "../server/page";

export type Severity = Diagnostic["severity"];
/** A diagnostic with the canvas's own keys of the node and the edge that it is about. */
export type Finding = Diagnostic & { node: string | null; edge: string | null };

export function locate(diagnostics: Diagnostic[], nodes: NodeView[], edges: EdgeView[]): Finding[] {
  return diagnostics.map((found) => ({ ...found, node: nodeOf(found, nodes), edge: edgeOf(found, edges) }));
}

function nodeOf(found: Diagnostic, nodes: NodeView[]): string | null {
  const index = /^nodes\[(\d+)\]/.exec(found.path)?.[1];
  if (found.node_id === null && index === undefined) return null;
  const part = nodes.find((node) => (index === undefined ? node.id === found.node_id : node.index === Number(index)));
  return part?.key ?? null;
}

function edgeOf(found: Diagnostic, edges: EdgeView[]): string | null {
  const index = /^edges\[(\d+)\]/.exec(found.path)?.[1];
  if (found.edge_id === null && index === undefined) return null;
  const part = edges.find((edge) => (index === undefined ? edge.id === found.edge_id : edge.index === Number(index)));
  return part?.key ?? null;
}

/** What is said about one field of a node's config. */
export function fieldMessages(findings: Finding[], node: NodeView, name: string): { error: string; warning: string } {
  const path = `nodes[${node.index}].config.${name}`;
  const starts = [`${path}.`, `${path}[`];
  const mine = findings.filter((each) => each.path === path || starts.some((start) => each.path.startsWith(start)));
  const messages = (severity: Severity) =>
    mine
      .filter((each) => each.severity === severity)
      .map((each) => withoutNodeName(node.id, each.message))
      .join(" ");
  return { error: messages("error"), warning: messages("warning") };
}

/** The message where it is plain which node it is about. */
export function withoutNodeName(id: string, message: string): string {
  const start = `Node \`${id}\`: `;
  const rest = message.startsWith(start) ? message.slice(start.length) : message;
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

export function worstSeverity(found: Diagnostic[]): Severity | "" {
  return found.some((each) => each.severity === "error") ? "error" : found.length ? "warning" : "";
}

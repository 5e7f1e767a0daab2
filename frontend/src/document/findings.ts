// Which part of the document a diagnostic is about.

import type { Diagnostic } from "../server/page";
import type { EdgeView, NodeView } from "./parts";

export type Located = Diagnostic & { node: string | null; edge: string | null };

/** The diagnostics with the canvas's own names of the parts that they are about. */
export function located(diagnostics: Diagnostic[], nodes: NodeView[], edges: EdgeView[]): Located[] {
  return diagnostics.map((found) => ({ ...found, node: nodeOf(found, nodes), edge: edgeOf(found, edges) }));
}

function nodeOf(found: Diagnostic, nodes: NodeView[]): string | null {
  const index = /^nodes\[(\d+)\]/.exec(found.path)?.[1];
  const part = nodes.find((node) => (index === undefined ? node.id === found.node_id : node.index === Number(index)));
  return found.node_id === null && index === undefined ? null : (part?.key ?? null);
}

function edgeOf(found: Diagnostic, edges: EdgeView[]): string | null {
  const index = /^edges\[(\d+)\]/.exec(found.path)?.[1];
  const part = edges.find((edge) => (index === undefined ? edge.id === found.edge_id : edge.index === Number(index)));
  return found.edge_id === null && index === undefined ? null : (part?.key ?? null);
}

/** What is said about one field of a node's config. */
export function aboutField(found: Located[], node: NodeView, name: string): { error: string; warning: string } {
  const path = `nodes[${node.index}].config.${name}`;
  const mine = found.filter(
    (each) => each.path === path || each.path.startsWith(`${path}.`) || each.path.startsWith(`${path}[`),
  );
  const told = (severity: string) =>
    mine
      .filter((each) => each.severity === severity)
      .map((each) => besides(node.id, each.message))
      .join(" ");
  return { error: told("error"), warning: told("warning") };
}

/** The message where it is plain which node it is about. */
export function besides(id: string, message: string): string {
  const start = `Node \`${id}\`: `;
  const rest = message.startsWith(start) ? message.slice(start.length) : message;
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

export function worst(found: Diagnostic[]): "error" | "warning" | "" {
  return found.some((each) => each.severity === "error") ? "error" : found.length ? "warning" : "";
}

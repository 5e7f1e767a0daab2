// The document's nodes as xyflow draws them.

import type { Node } from "@xyflow/react";
import { type Finding, type Severity, worstSeverity } from "../checks/findings";
import { cycleThrough } from "../document/cycles";
import { type EdgeView, type NodeView, nameOf, type Place } from "../document/parts";
import type { NodeRunState } from "../panel/node-outcome";
import type { Kind } from "../server/page";
import type { NodeData } from "./flow-node";
import { HEIGHT, WIDTH } from "./node-size";
import type { Ports } from "./ports";

export type Size = { width: number; height: number };

type Drawing = {
  nodes: NodeView[];
  edges: EdgeView[];
  ports: Map<string, Ports>;
  places: Map<string, Place>;
  sizes: Map<string, Size>;
  findings: Finding[];
  /** Whether the flow is drawn from top to bottom. */
  isDown: boolean;
  selected: string[];
  kinds: Map<string, Kind>;
  progress: Map<string, NodeRunState>;
};

export function drawNodes(drawing: Drawing): Node<NodeData>[] {
  const { nodes, edges, ports, places, sizes, findings, isDown, selected, kinds, progress } = drawing;
  const names = new Map(nodes.map((node) => [node.key, nameOf(node)]));
  const circle = circleIn(findings, edges);
  return nodes.map((node) => {
    const mine = findings.filter((each) => each.node === node.key && !each.edge);
    const severity = circle.has(node.key) ? "error" : worstSeverity(mine);
    return {
      id: node.key,
      type: "step",
      position: places.get(node.key)!,
      measured: sizes.get(node.key),
      initialWidth: WIDTH,
      initialHeight: HEIGHT,
      selected: selected.includes(node.key),
      ariaLabel: describe(node, names, edges, severity) + tellOf(progress.get(node.id)),
      data: {
        name: nameOf(node),
        kind: node.type,
        family: node.type.split("_")[0]!,
        severity,
        isKnown: kinds.has(node.type),
        progress: progress.get(node.id) ?? "",
        isDown,
        ...ports.get(node.key)!,
      },
    };
  });
}

/** The nodes with those that are dragged where the pointer has them; all others are the same objects as before. */
export function moveDragged(nodes: Node[], dragged: Map<string, Place>): Node[] {
  if (!dragged.size) return nodes;
  return nodes.map((node) => (dragged.has(node.id) ? { ...node, position: dragged.get(node.id)! } : node));
}

/** A circle is found at one of its nodes, and it is about all of them. */
export function circleIn(findings: Finding[], edges: EdgeView[]): Set<string> {
  const found = findings.find((each) => each.code === "cycle" && each.node);
  return found ? cycleThrough(found.node!, edges) : new Set();
}

function tellOf(progress: NodeRunState | undefined): string {
  return progress ? `, ${progress} in the last run` : "";
}

/** The node in words, for those who do not see it. */
function describe(node: NodeView, names: Map<string, string>, edges: EdgeView[], severity: Severity | ""): string {
  const next = edges.filter((edge) => edge.source === node.key && names.has(edge.target));
  const parts = [`${nameOf(node)}, ${node.type || "no kind"} node`];
  if (next.length) parts.push(`leads to ${next.map((edge) => names.get(edge.target)).join(" and ")}`);
  if (severity) parts.push(`has ${severity}s`);
  return parts.join(", ");
}

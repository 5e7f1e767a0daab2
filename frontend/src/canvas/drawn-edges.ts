// The document's edges as xyflow draws them.

import { type Edge, MarkerType } from "@xyflow/react";
import { type Finding, worstSeverity } from "../checks/findings";
import { type EdgeView, isElse, type NodeView, nameOf, type Place, toolLinksOf } from "../document/parts";
import { circleIn } from "./drawn-nodes";
import type { EdgeData } from "./flow-edge";
import { HEIGHT, WIDTH } from "./node-size";
import type { Ports } from "./ports";
import { type Lanes, laneFor, leadsBack } from "./route";

const LETTER_WIDTH = 6.7;
const LABEL_MARGIN = 44;
const LABEL_STYLE = { labelBgPadding: [6, 3], labelBgBorderRadius: 6 } satisfies Partial<Edge>;
const ARROW = { type: MarkerType.ArrowClosed, width: 18, height: 18 };

type Drawing = {
  nodes: NodeView[];
  edges: EdgeView[];
  ports: Map<string, Ports>;
  places: Map<string, Place>;
  findings: Finding[];
  isDown: boolean;
  selected: string[];
};

/** Edges from or to a node that is not there cannot be drawn. */
export function drawEdges({ nodes, edges, ports, places, findings, isDown, selected }: Drawing): Edge<EdgeData>[] {
  const names = new Map(nodes.map((node) => [node.key, nameOf(node)]));
  const drawable = edges.filter((edge) => names.has(edge.source) && names.has(edge.target));
  const laneOf = lanes(places, isDown);
  const circle = circleIn(findings, edges);
  return drawable.map((edge) => {
    const isInCircle = circle.has(edge.source) && circle.has(edge.target);
    const severity = isInCircle ? "error" : worstSeverity(findings.filter((each) => each.edge === edge.key));
    const label = labelOf(edge);
    return {
      id: edge.key,
      type: "step",
      data: { lane: laneOf(edge) },
      source: edge.source,
      target: edge.target,
      sourceHandle: edge.sourcePort ?? ports.get(edge.source)!.outputs[0],
      targetHandle: edge.targetPort ?? ports.get(edge.target)!.inputs[0],
      selected: selected.includes(edge.key),
      className: `${edge.type} ${severity && `has-${severity}`}`,
      markerEnd: ARROW,
      label: label && shorten(label, places.get(edge.source)!, places.get(edge.target)!),
      ...LABEL_STYLE,
      ariaLabel: [
        `Edge from ${names.get(edge.source)} to ${names.get(edge.target)}`,
        label,
        severity && `has ${severity}s`,
      ]
        .filter(Boolean)
        .join(", "),
    };
  });
}

/** Lines from a model's node to those that it calls: to be looked at, since the node's own settings make them. */
export function drawToolLinks({ nodes, ports }: Pick<Drawing, "nodes" | "ports">): Edge[] {
  const names = new Map(nodes.map((node) => [node.key, nameOf(node)]));
  return toolLinksOf(nodes).map(({ source, target, name }, index) => ({
    id: `tool-${index}-${source}-${target}`,
    source,
    target,
    sourceHandle: ports.get(source)!.outputs[0],
    targetHandle: ports.get(target)!.inputs[0],
    className: "tool",
    label: name || "tool",
    selectable: false,
    deletable: false,
    focusable: false,
    ...LABEL_STYLE,
    ariaLabel: `${names.get(target)} is a tool of ${names.get(source)}`,
  }));
}

/** For each edge that leads back, the lane in which it does: no two share one. */
function lanes(places: Map<string, Place>, isDown: boolean): (edge: EdgeView) => number | null {
  const taken: Lanes = [];
  return ({ source, target }) => {
    const [from, to] = [places.get(source)!, places.get(target)!];
    return leadsBack(from, to, isDown) ? laneFor({ source, target }, places, isDown, taken) : null;
  };
}

function labelOf(edge: EdgeView): string | undefined {
  if (edge.type !== "conditional") return undefined;
  return isElse(edge) ? "else" : edge.condition || "no condition";
}

/** A condition as far as there is room for it between two nodes. */
function shorten(label: string, from: Place, to: Place): string {
  const isLevel = Math.abs(to.y - from.y) < HEIGHT;
  const gap = to.x - from.x - WIDTH - LABEL_MARGIN;
  const room = isLevel ? Math.max(5, Math.floor(gap / LETTER_WIDTH)) : 26;
  return label.length > room ? `${label.slice(0, room - 1).trimEnd()}…` : label;
}

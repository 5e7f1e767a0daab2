// An edge as it is drawn: a curve ahead, or a line around the nodes where it leads back.

import { BaseEdge, type Edge, type EdgeProps, getBezierPath, Position } from "@xyflow/react";
import { memo } from "react";
import type { Place } from "../document/parts";
import { roundedPath } from "./route";

/** `lane` is set for an edge that leads back: where across the flow it does. */
export type EdgeData = { lane: number | null };

const AHEAD = 18;

export const FlowEdge = memo(function FlowEdge(props: EdgeProps<Edge<EdgeData>>) {
  const lane = props.data?.lane ?? null;
  const [path, labelX, labelY] = lane === null ? getBezierPath(props) : wayAround(props, lane);
  const { id, label, labelStyle, labelBgPadding, labelBgBorderRadius, markerEnd, style } = props;
  const shown = { id, label, labelStyle, labelBgPadding, labelBgBorderRadius, markerEnd, style };
  return <BaseEdge {...shown} {...{ path, labelX, labelY }} interactionWidth={20} />;
});

function wayAround(edge: EdgeProps<Edge<EdgeData>>, lane: number): [path: string, labelX: number, labelY: number] {
  const isDown = edge.sourcePosition === Position.Bottom;
  const [from, to] = [
    { x: edge.sourceX, y: edge.sourceY },
    { x: edge.targetX, y: edge.targetY },
  ];
  const [left, before]: [Place, Place] = isDown
    ? [
        { x: from.x, y: from.y + AHEAD },
        { x: to.x, y: to.y - AHEAD },
      ]
    : [
        { x: from.x + AHEAD, y: from.y },
        { x: to.x - AHEAD, y: to.y },
      ];
  const onLane = (point: Place) => (isDown ? { x: lane, y: point.y } : { x: point.x, y: lane });
  const path = roundedPath([from, left, onLane(left), onLane(before), before, to]);
  const label = onLane({ x: (left.x + before.x) / 2, y: (left.y + before.y) / 2 });
  return [path, label.x, label.y];
}

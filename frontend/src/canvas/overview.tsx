// The whole flow in small, as long as the canvas does not show all of it.

import { MiniMap, type Node, type ReactFlowState, useStore } from "@xyflow/react";
import { useCallback, useMemo } from "react";
import type { Place } from "../document/parts";
import { type Bounds, boundsOf } from "./fit";
import type { NodeData } from "./flow-node";

const SIZE = { width: 132, height: 84 };

export function Overview({ places }: { places: Map<string, Place> }) {
  const bounds = useMemo(() => boundsOf([...places.values()]), [places]);
  const isNeeded = useStore(useCallback((state: ReactFlowState) => bounds && isCut(state, bounds), [bounds]));
  if (!isNeeded) return null;
  const family = ({ data }: Node) => `mini ${(data as NodeData).family} ${(data as NodeData).severity}`;
  return <MiniMap pannable zoomable style={SIZE} position="bottom-right" ariaLabel="Overview" nodeClassName={family} />;
}

function isCut({ transform: [x, y, zoom], width, height }: ReactFlowState, bounds: Bounds): boolean {
  return (
    bounds.left * zoom + x < 0 ||
    bounds.top * zoom + y < 0 ||
    bounds.right * zoom + x > width ||
    bounds.bottom * zoom + y > height
  );
}

// What Fit shows: the whole flow where it can be read so, or else its beginning at the smallest scale that is legible.

import { useReactFlow, useStoreApi, type Viewport } from "@xyflow/react";
import type { EdgeView, NodeView, Place } from "../document/parts";
import { HEIGHT, WIDTH } from "./node-size";

/** At this scale the names of nodes are 10.5 px high, and those of their kinds 8.6 px. */
export const LEGIBLE = 0.75;
const LARGEST = 1;
const MARGIN = 24;

export type Bounds = { left: number; top: number; right: number; bottom: number };
type Size = { width: number; height: number };

export function useFit(): (places: Map<string, Place>, start: string | undefined) => void {
  const { setViewport } = useReactFlow();
  const store = useStoreApi();
  return (places, start) => {
    const bounds = boundsOf([...places.values()]);
    if (bounds) void setViewport(viewportFor(bounds, store.getState(), places.get(start ?? "")));
  };
}

/** The corners of what nodes at these places cover, in units of the canvas; null without any. */
export function boundsOf(places: Place[]): Bounds | null {
  if (!places.length) return null;
  return places.reduce(
    ({ left, top, right, bottom }, { x, y }) => ({
      left: Math.min(left, x),
      top: Math.min(top, y),
      right: Math.max(right, x + WIDTH),
      bottom: Math.max(bottom, y + HEIGHT),
    }),
    { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity },
  );
}

/** How the pane (its size in pixels) shows these bounds; where it cannot, it shows the node at `start` in them. */
export function viewportFor(bounds: Bounds, { width, height }: Size, start?: Place): Viewport {
  const flow = { width: bounds.right - bounds.left, height: bounds.bottom - bounds.top };
  const whole = Math.min((width - 2 * MARGIN) / flow.width, (height - 2 * MARGIN) / flow.height);
  const zoom = Math.min(LARGEST, Math.max(LEGIBLE, whole));
  const middle = start ?? { x: bounds.left, y: bounds.top };
  return {
    zoom,
    x: shift([bounds.left, bounds.right], width, zoom, middle.x + WIDTH / 2),
    y: shift([bounds.top, bounds.bottom], height, zoom, middle.y + HEIGHT / 2),
  };
}

/** Along one axis: the whole in the middle of the pane, or else `centre`, with no more than a margin of nothing. */
function shift([low, high]: [number, number], room: number, zoom: number, centre: number): number {
  if ((high - low) * zoom <= room - 2 * MARGIN) return room / 2 - ((low + high) / 2) * zoom;
  const [first, last] = [MARGIN - low * zoom, room - MARGIN - high * zoom];
  return Math.max(last, Math.min(first, room / 2 - centre * zoom));
}

/** The node that a reader begins with: an entry, or else one that no edge leads to. */
export function startOf(nodes: NodeView[], edges: EdgeView[]): string | undefined {
  const targets = new Set(edges.map((edge) => edge.target));
  const first =
    nodes.find((node) => node.type.startsWith("entry_")) ?? nodes.find((node) => !targets.has(node.key)) ?? nodes[0];
  return first?.key;
}

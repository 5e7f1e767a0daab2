// The way of an edge that leads back, or to another row: around the nodes, in a lane where none stands.

import type { Place } from "../document/parts";
import { HEIGHT, WIDTH } from "./node-size";

/** Between a line and the nodes that it passes. */
const CLEARANCE = 16;
/** Between two lines in the same gap. */
const LANE = 8;
const RADIUS = 8;

/** Nodes as intervals along the flow's direction and across it. */
type Span = { along: [number, number]; across: [number, number] };

/** Whether a curve from one node to the other would bend back over them. */
export function leadsBack(from: Place, to: Place, isDown: boolean): boolean {
  return isDown ? to.y < from.y + HEIGHT + CLEARANCE : to.x < from.x + WIDTH + CLEARANCE;
}

/** Lanes by the gap between nodes that they are in, with the edges that run there. */
export type Lanes = { lane: number; source: string; target: string }[];
type Ends = { source: string; target: string };

/**
 * Where across the flow (its y, or its x in one from top to bottom) an edge can run from behind one node to before
 * another without meeting any. Edges from the same node or to the same one share a lane; others in `taken` do not.
 */
export function laneFor(ends: Ends, places: Map<string, Place>, isDown: boolean, taken: Lanes): number {
  const [start, end] = [spanOf(places.get(ends.source)!, isDown), spanOf(places.get(ends.target)!, isDown)];
  const [low, high] = [end.along[0] - CLEARANCE, start.along[1] + CLEARANCE];
  const passed = [...places.values()]
    .map((place) => spanOf(place, isDown))
    .filter(({ along }) => along[0] < high && along[1] > low)
    .map(({ across }) => [across[0] - CLEARANCE, across[1] + CLEARANCE] as [number, number]);
  const [source, target] = [middle(start.across), middle(end.across)];
  const lanes = freeBetween(passed).map((gap) => {
    const lane = within(gap, (source + target) / 2);
    return { lane, detour: Math.abs(lane - source) + Math.abs(lane - target), width: gap[1] - gap[0] };
  });
  // Between two rows of nodes there is more room than between the nodes of one.
  let { lane } = lanes.sort((one, other) => one.detour - other.detour || other.width - one.width)[0]!;
  const isOthers = (each: Lanes[number]) => each.source !== ends.source && each.target !== ends.target;
  while (taken.some((each) => isOthers(each) && Math.abs(each.lane - lane) < LANE)) lane += LANE;
  taken.push({ lane, ...ends });
  return lane;
}

function spanOf({ x, y }: Place, isDown: boolean): Span {
  const [level, upright]: [Span["along"], Span["across"]] = [
    [x, x + WIDTH],
    [y, y + HEIGHT],
  ];
  return isDown ? { along: upright, across: level } : { along: level, across: upright };
}

/** What the intervals leave free, the outsides included. */
function freeBetween(intervals: [number, number][]): [number, number][] {
  const free: [number, number][] = [];
  let reached = -Infinity;
  for (const [first, last] of intervals.sort(([one], [other]) => one - other)) {
    if (first > reached) free.push([reached, first]);
    reached = Math.max(reached, last);
  }
  return [...free, [reached, Infinity]];
}

/** The point of an interval that is nearest to the wish; inside of two nodes, the middle between them. */
function within([first, last]: [number, number], wish: number): number {
  if (Number.isFinite(first) && Number.isFinite(last)) return (first + last) / 2;
  return Math.min(last, Math.max(first, wish));
}

function middle([low, high]: [number, number]): number {
  return (low + high) / 2;
}

/** An SVG path through the points, with round corners. */
export function roundedPath(points: Place[]): string {
  const [first, ...rest] = points as [Place, ...Place[]];
  const parts = rest.map((corner, index) => {
    const next = rest[index + 1];
    if (!next) return `L${corner.x} ${corner.y}`;
    const [into, out] = [towards(corner, points[index]!), towards(corner, next)];
    return `L${into.x} ${into.y}Q${corner.x} ${corner.y} ${out.x} ${out.y}`;
  });
  return `M${first.x} ${first.y}${parts.join("")}`;
}

/** A little way from one point to another. */
function towards(from: Place, to: Place): Place {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const share = Math.min(RADIUS, length / 2) / length;
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

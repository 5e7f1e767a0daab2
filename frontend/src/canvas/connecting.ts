// Edges drawn with the pointer: from port to port, onto a node's body, or to where the next node shall stand.

import { type Connection, type FinalConnectionState, useReactFlow } from "@xyflow/react";
import { toast } from "../browser/toast";
import { connect, connectProblem, type Link } from "../document/connections";
import { type NodeView, nameOf, type Place } from "../document/parts";
import { useWork } from "../work";
import type { Ports } from "./ports";

/** An edge that has one end so far. */
export type HalfLink = { node: string; port: string | null; isSource: boolean };
/** Where on the window, and where on the canvas, a node is asked for, and what it is joined with. */
export type Wish = { at: Place; place: Place; link?: HalfLink };

type End = Omit<HalfLink, "isSource">;

export function linkBetween({ isSource, ...known }: HalfLink, other: End): Link {
  const [from, to] = isSource ? [known, other] : [other, known];
  return { source: from.node, sourcePort: from.port, target: to.node, targetPort: to.port };
}

/** What xyflow calls when an edge was drawn; `ask` is called with a place on empty canvas. */
export function useConnecting(ports: Map<string, Ports>, ask: (wish: Wish) => void) {
  const { nodes } = useWork();
  const { screenToFlowPosition } = useReactFlow();
  const join = useJoin();
  const dropOn = (key: string, half: HalfLink) => {
    const node = nodes.find((each) => each.key === key)!;
    const names = half.isSource ? ports.get(key)!.inputs : ports.get(key)!.outputs;
    if (names.length === 1 || key === half.node) join(linkBetween(half, { node: key, port: names[0] ?? null }));
    else toast(choiceOf(node, names, half.isSource));
  };
  const onConnectEnd = (event: MouseEvent | TouchEvent, { isValid, fromHandle }: FinalConnectionState) => {
    if (isValid || !fromHandle) return;
    const half = { node: fromHandle.nodeId, port: fromHandle.id ?? null, isSource: fromHandle.type === "source" };
    const at = pointOf(event);
    const over = document.elementFromPoint(at.x, at.y);
    const key = over?.closest<HTMLElement>(".react-flow__node-step")?.dataset.id;
    if (key) dropOn(key, half);
    else if (over?.matches(".react-flow__pane")) ask({ at, place: screenToFlowPosition(at), link: half });
  };
  const onConnect = ({ source, target, sourceHandle, targetHandle }: Connection) =>
    join({ source, target, sourcePort: sourceHandle, targetPort: targetHandle });
  return { onConnect, onConnectEnd, isValidConnection: isBetweenNodes };
}

function isBetweenNodes({ source, target }: { source: string; target: string }): boolean {
  return source !== target;
}

/** Adds an edge and shows it, or says why there is none. */
function useJoin(): (link: Link) => void {
  const { document, edit, select } = useWork();
  return (link) => {
    const made = connect(document, link);
    if (!made) return toast(connectProblem(document, link));
    edit(made.document);
    select({ nodes: [], edges: [made.key] });
  };
}

function choiceOf(node: NodeView, names: string[], isTarget: boolean): string {
  const [side, verb] = isTarget ? ["input", "leads to"] : ["output", "comes from"];
  if (!names.length) return `${nameOf(node)} has no ${side}: nothing ${verb} it.`;
  return `${nameOf(node)} has the ${side}s ${names.join(", ")}: draw the edge to one of them.`;
}

function pointOf(event: MouseEvent | TouchEvent): Place {
  const { clientX: x, clientY: y } = "changedTouches" in event ? event.changedTouches[0]! : event;
  return { x, y };
}

// The canvas: the document drawn by xyflow. What is done on it becomes an edit of the document.

import { Background, Controls, ReactFlow, type ReactFlowProps } from "@xyflow/react";
import { useMemo } from "react";
import type { Finding } from "../checks/findings";
import { directionOf } from "../document/canvas-settings";
import type { Place } from "../document/parts";
import { progressOf } from "../panel/node-outcome";
import { NOTHING, type Selection, useWork } from "../work";
import { useCanvasKeys } from "./canvas-keys";
import { useConnecting, type Wish } from "./connecting";
import { drawEdges, drawToolLinks } from "./drawn-edges";
import { drawNodes, moveDragged } from "./drawn-nodes";
import { useDrops } from "./drops";
import { startOf, useFit } from "./fit";
import { FlowEdge } from "./flow-edge";
import { FlowNode } from "./flow-node";
import { placesOf } from "./layout";
import { useNodeChanges } from "./node-changes";
import { drawNotes, NoteNode } from "./note-node";
import { Overview } from "./overview";
import { drawnPorts } from "./ports";
import { useSelectionChanges } from "./selection-changes";

/** From this many nodes on, only those in sight are drawn. */
const MANY = 300;
const SETTINGS = {
  nodeTypes: { step: FlowNode, note: NoteNode },
  edgeTypes: { step: FlowEdge },
  // The canvas has its own keys for this, which know the document.
  deleteKeyCode: null,
  multiSelectionKeyCode: ["Shift", "Meta", "Control"],
  tabIndex: -1,
  minZoom: 0.1,
  maxZoom: 2,
  colorMode: "system",
} satisfies ReactFlowProps;

type Props = {
  findings: Finding[];
  add: (kind: string, place: Place) => void;
  pick: (selection: Selection) => void;
  /** Called where an edge was dropped on empty canvas. */
  ask: (wish: Wish) => void;
};

export function Canvas({ findings, add, pick, ask }: Props) {
  const { nodes, edges, selection, isReadOnly } = useWork();
  const { places, ports, ...drawn } = useDrawing(findings, pick);
  const fit = useFit();
  const connecting = useConnecting(ports, ask);
  const onKeyDown = useCanvasKeys();
  const drops = useDrops(add);
  return (
    <ReactFlow
      {...SETTINGS}
      {...drawn}
      {...drops}
      {...connecting}
      aria-label={`Canvas, ${nodes.length} node${nodes.length === 1 ? "" : "s"}`}
      onInit={() => fit(places, selection.nodes[0] ?? startOf(nodes, edges))}
      onPaneClick={() => pick(NOTHING)}
      onKeyDownCapture={onKeyDown}
      nodesDraggable={!isReadOnly}
      nodesConnectable={!isReadOnly}
      onlyRenderVisibleElements={nodes.length > MANY}
    >
      <Background gap={20} size={1.4} />
      <Controls showInteractive={false} showFitView={false} position="bottom-left" />
      <Overview places={places} />
    </ReactFlow>
  );
}

/** What xyflow draws, and its reports of what happened to that. */
function useDrawing(findings: Finding[], pick: Props["pick"]) {
  const { document, nodes, edges, selection, kinds, tried } = useWork();
  const direction = directionOf(document);
  const progress = useMemo(() => progressOf(tried), [tried]);
  const places = useMemo(() => placesOf(nodes, edges, direction), [nodes, edges, direction]);
  const ports = useMemo(() => drawnPorts(nodes, edges), [nodes, edges]);
  const changes = useSelectionChanges(pick);
  const { sizes, dragged, onNodesChange } = useNodeChanges(places, changes.nodes);
  const isDown = direction === "down";
  const atRest = useMemo(
    () =>
      drawNodes({ nodes, edges, ports, places, sizes, findings, isDown, selected: selection.nodes, kinds, progress }),
    [nodes, edges, ports, places, sizes, findings, isDown, selection.nodes, kinds, progress],
  );
  const notes = useMemo(() => drawNotes(document, sizes), [document, sizes]);
  const drawnNodes = useMemo(() => moveDragged([...notes, ...atRest], dragged), [notes, atRest, dragged]);
  const drawnEdges = useMemo(
    () => [
      ...drawEdges({ nodes, edges, ports, places, findings, isDown, selected: selection.edges }),
      ...drawToolLinks({ nodes, ports }),
    ],
    [nodes, edges, ports, places, findings, isDown, selection.edges],
  );
  return { places, ports, nodes: drawnNodes, edges: drawnEdges, onNodesChange, onEdgesChange: changes.edges };
}

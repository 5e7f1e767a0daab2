// The canvas: the document drawn by xyflow. What is done on it becomes an edit of the document.

import {
  Background,
  Controls,
  type Edge,
  type EdgeChange,
  MarkerType,
  MiniMap,
  type Node,
  type NodeChange,
  ReactFlow,
  useReactFlow,
} from "@xyflow/react";
import { type DragEvent, type KeyboardEvent, useMemo, useRef, useState } from "react";
import { type Located, worst } from "../document/findings";
import {
  connect,
  type EdgeView,
  isElse,
  moveNodes,
  type NodeView,
  nameOf,
  type Place,
  remove,
} from "../document/parts";
import { focusPanel } from "../shell/focus";
import { NOTHING, useWork } from "../state";
import { FlowNode, type NodeData } from "./flow-node";
import { HEIGHT, placesOf, WIDTH } from "./layout";

const TYPES = { step: FlowNode };
const MANY = 300;
const FIT = { padding: 0.18, maxZoom: 1 };
export const DRAGGED = "application/x-scaigrid-kind";

export function Canvas({ found, add }: { found: Located[]; add: (kind: string, place: Place) => void }) {
  const work = useWork();
  const { document, nodes, edges, selection, select, edit, isReadOnly } = work;
  const { screenToFlowPosition } = useReactFlow();
  const [sizes, setSizes] = useState(new Map<string, { width: number; height: number }>());
  const [dragged, setDragged] = useState(new Map<string, Place>());
  const places = useMemo(() => placesOf(nodes, edges), [nodes, edges]);
  const ports = useMemo(() => portsOf(nodes, edges), [nodes, edges]);

  const shownNodes = useMemo(
    () =>
      nodes.map((node): Node<NodeData> => {
        const severity = worst(found.filter((each) => each.node === node.key && !each.edge));
        const isKnown = work.kinds.has(node.type);
        return {
          id: node.key,
          type: "step",
          position: dragged.get(node.key) ?? places.get(node.key)!,
          measured: sizes.get(node.key),
          initialWidth: WIDTH,
          initialHeight: HEIGHT,
          selected: selection.nodes.includes(node.key),
          ariaLabel: spoken(node, nodes, edges, severity),
          data: {
            name: nameOf(node),
            kind: node.type,
            family: node.type.split("_")[0]!,
            severity,
            isKnown,
            ...ports.get(node.key)!,
          },
        };
      }),
    [nodes, edges, found, places, ports, sizes, dragged, selection, work.kinds],
  );
  const shownEdges = useMemo(
    () => drawnEdges(nodes, edges, ports, places, found, selection.edges),
    [nodes, edges, ports, places, found, selection],
  );

  const pending = useRef(selection);
  pending.current = selection;
  const onNodesChange = (changes: NodeChange<Node<NodeData>>[]) => {
    const measured = changes.flatMap((each) =>
      each.type === "dimensions" && each.dimensions ? [[each.id, each.dimensions] as const] : [],
    );
    if (measured.length) setSizes((before) => new Map([...before, ...measured]));
    const moves = changes.flatMap((each) => (each.type === "position" && each.position ? [each] : []));
    const isMoving = moves.some((each) => each.dragging);
    const moved = new Map(moves.map((each) => [each.id, each.position!] as const));
    if (moved.size) setDragged(isMoving ? moved : new Map());
    if (moved.size && !isMoving) {
      const all = nodes.some((node) => !node.place) ? new Map([...places, ...moved]) : moved;
      edit(moveNodes(document, all), `move ${[...moved.keys()].join()}`);
    }
    const picked = changes.flatMap((each) => (each.type === "select" ? [each] : []));
    if (picked.length) select(picks("nodes", picked));
  };
  const onEdgesChange = (changes: EdgeChange[]) => {
    const picked = changes.flatMap((each) => (each.type === "select" ? [each] : []));
    if (picked.length) select(picks("edges", picked));
  };
  // Both lists of changes may come in one go; each is applied to what the other one left.
  const picks = (list: "nodes" | "edges", changes: { id: string; selected: boolean }[]) => {
    const kept = new Set(pending.current[list]);
    for (const each of changes) {
      if (each.selected) kept.add(each.id);
      else kept.delete(each.id);
    }
    pending.current = { ...pending.current, [list]: [...kept] };
    return pending.current;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const part = (event.target as Element).closest(".react-flow__node, .react-flow__edge");
    const key = part?.getAttribute("data-id");
    const focused = !key
      ? NOTHING
      : part!.matches(".react-flow__node")
        ? { nodes: [key], edges: [] }
        : { nodes: [], edges: [key] };
    if (event.key === "Escape") select(NOTHING);
    if (event.key === "Enter" && key) {
      event.preventDefault();
      select(focused);
      focusPanel();
    }
    if (["Delete", "Backspace"].includes(event.key) && !isReadOnly) {
      const isChosen = selection.nodes.length + selection.edges.length > 0;
      const gone = isChosen ? selection : focused;
      edit(remove(document, new Set(gone.nodes), new Set(gone.edges)));
      select(NOTHING);
      // What had the focus is no more.
      (event.currentTarget as HTMLElement).focus();
    }
  };
  const onDrop = (event: DragEvent) => {
    const kind = event.dataTransfer.getData(DRAGGED);
    if (!kind) return;
    event.preventDefault();
    const { x, y } = screenToFlowPosition({ x: event.clientX, y: event.clientY });
    add(kind, { x: x - WIDTH / 2, y: y - HEIGHT / 2 });
  };

  return (
    <ReactFlow
      aria-label={`Canvas, ${nodes.length} node${nodes.length === 1 ? "" : "s"}`}
      nodes={shownNodes}
      edges={shownEdges}
      nodeTypes={TYPES}
      onNodesChange={onNodesChange}
      onEdgesChange={onEdgesChange}
      onConnect={(link) => {
        const isDecision = nodes.find((node) => node.key === link.source)?.type === "logic_decision";
        const made = connect(document, {
          source: link.source,
          target: link.target,
          sourcePort: link.sourceHandle,
          targetPort: link.targetHandle,
          ...(isDecision && { type: "conditional" }),
        });
        if (!made) return;
        edit(made.document);
        select({ nodes: [], edges: [made.key] });
      }}
      isValidConnection={(link) => link.source !== link.target}
      onPaneClick={() => select(NOTHING)}
      onKeyDownCapture={onKeyDown}
      onDrop={onDrop}
      onDragOver={(event) => event.dataTransfer.types.includes(DRAGGED) && event.preventDefault()}
      nodesDraggable={!isReadOnly}
      nodesConnectable={!isReadOnly}
      deleteKeyCode={null}
      tabIndex={-1}
      multiSelectionKeyCode={["Shift", "Meta", "Control"]}
      onlyRenderVisibleElements={nodes.length > MANY}
      fitView
      fitViewOptions={FIT}
      minZoom={0.1}
      maxZoom={2}
      colorMode="system"
    >
      <Background gap={20} size={1.4} />
      <Controls showInteractive={false} position="bottom-left" fitViewOptions={FIT} />
      {nodes.length > 0 && (
        <MiniMap
          pannable
          zoomable
          position="bottom-right"
          ariaLabel="Overview"
          nodeClassName={(node) => `mini ${(node.data as NodeData).family} ${(node.data as NodeData).severity}`}
        />
      )}
    </ReactFlow>
  );
}

type Ports = Map<string, { inputs: string[]; outputs: string[] }>;

/** The ports to draw: those declared, those that edges use, and one to draw the first edge with. */
function portsOf(nodes: NodeView[], edges: EdgeView[]): Ports {
  const ports: Ports = new Map(
    nodes.map((node) => {
      const isEntry = node.type.startsWith("entry_");
      const inputs = node.inputs.length ? node.inputs : isEntry ? [] : ["in"];
      return [node.key, { inputs: [...inputs], outputs: node.outputs.length ? [...node.outputs] : ["out"] }];
    }),
  );
  const use = (names: string[] | undefined, port: string | null, standard: string) => {
    if (names && (port ? !names.includes(port) : !names.length)) names.push(port ?? standard);
  };
  for (const edge of edges) {
    use(ports.get(edge.source)?.outputs, edge.sourcePort, "out");
    use(ports.get(edge.target)?.inputs, edge.targetPort, "in");
  }
  return ports;
}

function drawnEdges(
  nodes: NodeView[],
  edges: EdgeView[],
  ports: Ports,
  places: Map<string, Place>,
  found: Located[],
  selected: string[],
): Edge[] {
  const names = new Map(nodes.map((node) => [node.key, nameOf(node)]));
  return edges
    .filter((edge) => names.has(edge.source) && names.has(edge.target))
    .map((edge) => {
      const severity = worst(found.filter((each) => each.edge === edge.key));
      const label =
        edge.type === "conditional" ? (isElse(edge) ? "else" : edge.condition || "no condition") : undefined;
      return {
        id: edge.key,
        source: edge.source,
        target: edge.target,
        sourceHandle: edge.sourcePort ?? ports.get(edge.source)!.outputs[0],
        targetHandle: edge.targetPort ?? ports.get(edge.target)!.inputs[0],
        selected: selected.includes(edge.key),
        className: `${edge.type} ${severity && `has-${severity}`}`,
        markerEnd: { type: MarkerType.ArrowClosed, width: 18, height: 18 },
        label: label && shortened(label, places.get(edge.source)!, places.get(edge.target)!),
        labelBgPadding: [6, 3],
        labelBgBorderRadius: 6,
        ariaLabel: [
          `Edge from ${names.get(edge.source)} to ${names.get(edge.target)}`,
          label,
          severity && `has ${severity}s`,
        ]
          .filter(Boolean)
          .join(", "),
      } satisfies Edge;
    });
}

const LETTER = 6.7;

/** A condition as far as there is room for it between two nodes. */
function shortened(label: string, from: Place, to: Place): string {
  const isLevel = Math.abs(to.y - from.y) < HEIGHT;
  const room = isLevel ? Math.max(5, Math.floor((to.x - from.x - WIDTH - 44) / LETTER)) : 26;
  return label.length > room ? `${label.slice(0, room - 1).trimEnd()}…` : label;
}

/** The node in words, for those who do not see it. */
function spoken(node: NodeView, nodes: NodeView[], edges: EdgeView[], severity: string): string {
  const names = new Map(nodes.map((each) => [each.key, nameOf(each)]));
  const next = edges
    .filter((edge) => edge.source === node.key && names.has(edge.target))
    .map((edge) => names.get(edge.target));
  const parts = [`${nameOf(node)}, ${node.type || "no kind"} node`];
  if (next.length) parts.push(`leads to ${next.join(" and ")}`);
  if (severity) parts.push(`has ${severity}s`);
  return parts.join(", ");
}

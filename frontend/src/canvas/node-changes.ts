// What xyflow reports about nodes: it has measured them, somebody has moved or selected them.

import type { Node, NodeChange } from "@xyflow/react";
import { useState } from "react";
import { moveNotes } from "../document/canvas-notes";
import { moveNodes } from "../document/edits";
import type { Place } from "../document/parts";
import { useWork } from "../work";
import type { Size } from "./drawn-nodes";
import type { SelectChanges } from "./selection-changes";

type Change = NodeChange<Node>;

/**
 * While nodes are dragged they are drawn where the pointer has them, over `places`; the drop becomes one edit.
 * Gives the sizes and the dragged places by the keys of the nodes.
 */
export function useNodeChanges(places: Map<string, Place>, selectNodes: SelectChanges) {
  const { document, nodes, edit } = useWork();
  const [sizes, setSizes] = useState(new Map<string, Size>());
  const [dragged, setDragged] = useState(new Map<string, Place>());

  const drop = (moved: Map<string, Place>) => {
    // The first move in a document without places fixes the layout of all its nodes.
    const all = nodes.some((node) => !node.place) ? new Map([...places, ...moved]) : moved;
    edit(moveNotes(moveNodes(document, all), moved), `move ${[...moved.keys()].join()}`);
  };
  const onNodesChange = (changes: Change[]) => {
    const measured = measuredIn(changes);
    if (measured.size) setSizes((before) => new Map([...before, ...measured]));
    const { moved, isDragging } = movesIn(changes);
    if (moved.size) setDragged(isDragging ? moved : new Map());
    if (moved.size && !isDragging) drop(moved);
    selectNodes(changes);
  };
  return { sizes, dragged, onNodesChange };
}

function measuredIn(changes: Change[]): Map<string, Size> {
  const found = changes.flatMap((each) =>
    each.type === "dimensions" && each.dimensions ? [[each.id, each.dimensions] as const] : [],
  );
  return new Map(found);
}

function movesIn(changes: Change[]): { moved: Map<string, Place>; isDragging: boolean } {
  const moves = changes.flatMap((each) => (each.type === "position" && each.position ? [each] : []));
  return {
    moved: new Map(moves.map((each) => [each.id, each.position!] as const)),
    isDragging: moves.some((each) => each.dragging),
  };
}

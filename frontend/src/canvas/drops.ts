// A kind that is dragged from the palette and dropped on the canvas.

import { useReactFlow } from "@xyflow/react";
import type { DragEvent } from "react";
import type { Place } from "../document/parts";
import { centredAt } from "./node-size";

const DRAGGED = "application/x-scaigrid-kind";

export function startDrag(event: DragEvent, kind: string): void {
  event.dataTransfer.setData(DRAGGED, kind);
  event.dataTransfer.effectAllowed = "copy";
}

export function useDrops(add: (kind: string, place: Place) => void) {
  const { screenToFlowPosition } = useReactFlow();
  const onDrop = (event: DragEvent) => {
    const kind = event.dataTransfer.getData(DRAGGED);
    if (!kind) return;
    event.preventDefault();
    add(kind, centredAt(screenToFlowPosition({ x: event.clientX, y: event.clientY })));
  };
  const onDragOver = (event: DragEvent) => {
    // A drop is only allowed where this one is prevented.
    if (event.dataTransfer.types.includes(DRAGGED)) event.preventDefault();
  };
  return { onDrop, onDragOver };
}

// Keys on the canvas: Enter opens what has the focus, Escape selects nothing, Delete takes parts away.

import type { KeyboardEvent } from "react";
import { focusPanel } from "../browser/focus";
import { removeParts } from "../document/edits";
import { NOTHING, type Selection, useWork } from "../work";

export function useCanvasKeys(): (event: KeyboardEvent) => void {
  const { document, selection, select, edit, isReadOnly } = useWork();
  const open = (event: KeyboardEvent, focused: Selection) => {
    event.preventDefault();
    select(focused);
    focusPanel();
  };
  const takeAway = (event: KeyboardEvent, focused: Selection) => {
    const { nodes, edges } = isEmpty(selection) ? focused : selection;
    edit(removeParts(document, new Set(nodes), new Set(edges)));
    select(NOTHING);
    // The part that had the focus is gone.
    (event.currentTarget as HTMLElement).focus();
  };
  return (event) => {
    const focused = focusedPart(event.target as Element);
    if (event.key === "Escape") select(NOTHING);
    if (event.key === "Enter" && !isEmpty(focused)) open(event, focused);
    if (["Delete", "Backspace"].includes(event.key) && !isReadOnly) takeAway(event, focused);
  };
}

/** The node or the edge that an element belongs to. */
export function focusedPart(element: Element): Selection {
  const part = element.closest(".react-flow__node-step, .react-flow__edge");
  const key = part?.getAttribute("data-id");
  if (!part || !key) return NOTHING;
  return part.matches(".react-flow__node") ? { nodes: [key], edges: [] } : { nodes: [], edges: [key] };
}

function isEmpty({ nodes, edges }: Selection): boolean {
  return !nodes.length && !edges.length;
}

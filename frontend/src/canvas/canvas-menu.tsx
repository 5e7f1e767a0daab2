// The menu of a node, of an edge, or of the empty canvas: by the right button of a mouse, or by Shift+F10.

import { useReactFlow } from "@xyflow/react";
import { type MouseEvent, useState } from "react";
import { focusPanel, isTyping } from "../browser/focus";
import { addNote } from "../document/canvas-notes";
import type { Place } from "../document/parts";
import { type Selection, useWork } from "../work";
import type { CanvasActions } from "./actions";
import { focusedPart } from "./canvas-keys";
import type { Wish } from "./connecting";
import { Menu, type MenuItem } from "./menu";

type Opened = { on: Selection; at: Place };

/** What opens the menu, and the menu once it is open. */
export function useCanvasMenu(actions: CanvasActions, pick: (selection: Selection) => void, ask: (wish: Wish) => void) {
  const { selection } = useWork();
  const [opened, setOpened] = useState<Opened | null>(null);
  const itemsFor = useItems(actions, ask);
  const onContextMenu = (event: MouseEvent) => {
    if (isTyping(event.target) || !(event.target as Element).closest(".react-flow")) return;
    event.preventDefault();
    const on = focusedPart(event.target as Element);
    const isSelected = [...on.nodes, ...on.edges].some((key) => [...selection.nodes, ...selection.edges].includes(key));
    if (!isSelected) pick(on);
    setOpened({ on, at: { x: event.clientX, y: event.clientY } });
  };
  const menu = opened && (
    <Menu label="Canvas menu" items={itemsFor(opened)} at={opened.at} close={() => setOpened(null)} />
  );
  return { onContextMenu, menu };
}

function useItems(actions: CanvasActions, ask: (wish: Wish) => void): (opened: Opened) => MenuItem[] {
  const { selection, select, isReadOnly } = useWork();
  const canvasItems = useCanvasItems(actions, ask);
  const show = () => {
    select(selection);
    focusPanel();
  };
  return ({ on, at }) => {
    if (!on.nodes.length && !on.edges.length) return canvasItems(at);
    const nodeItems = [
      { name: "Copy", keys: "Ctrl+C", act: actions.copy },
      { name: "Duplicate", keys: "Ctrl+D", act: actions.duplicate },
    ];
    return [
      { name: "Show in the panel", keys: "Enter", act: show },
      ...(on.nodes.length && !isReadOnly ? nodeItems : []),
      ...(isReadOnly ? [] : [{ name: "Delete", keys: "Del", act: actions.removeSelected }]),
    ];
  };
}

function useCanvasItems(actions: CanvasActions, ask: (wish: Wish) => void): (at: Place) => MenuItem[] {
  const { document, edit, isReadOnly } = useWork();
  const { screenToFlowPosition } = useReactFlow();
  return (at) => {
    const place = screenToFlowPosition(at);
    const editing = [
      { name: "Add a node here…", act: () => ask({ at, place }) },
      { name: "Add a note here", act: () => edit(addNote(document, place)) },
      { name: "Paste", keys: "Ctrl+V", act: () => actions.paste() },
      { name: "Tidy", act: () => actions.tidy() },
    ];
    return [
      ...(isReadOnly ? [] : editing),
      { name: "Select all", keys: "Ctrl+A", act: actions.selectAll },
      { name: "Find a node", keys: "/", act: actions.find },
      { name: "Fit", act: actions.fit },
      { name: "Keys", keys: "?", act: actions.showKeys },
    ];
  };
}

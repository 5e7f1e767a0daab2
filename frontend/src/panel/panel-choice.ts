// Which panel is shown beside the canvas: what is selected, or else what was asked for last.

import { useState } from "react";
import { focusPanel, focusPart } from "../browser/focus";
import { isBoolean, useRemembered } from "../browser/remembered";
import { isNarrow } from "../browser/screen";
import { type EdgeView, type NodeView, nameOf } from "../document/parts";
import { NOTHING, type Selection, type Work } from "../work";

export type FlowPart = "flow" | "run" | "tests" | "versions";
const TITLES: Record<FlowPart, string> = {
  flow: "Flow properties",
  run: "Run",
  tests: "Tests",
  versions: "Versions",
};
export type Panel =
  | { name: "node"; title: string; node: NodeView }
  | { name: "edge"; title: string; edge: EdgeView }
  | { name: "many" | FlowPart; title: string };
export type PanelName = Panel["name"];
export type PanelChoice = ReturnType<typeof usePanelChoice>;

export function usePanelChoice(work: Work) {
  const { select } = work;
  const [wish, setWish] = useState<FlowPart>(work.page.again ? "run" : "flow");
  const { setSheetOpen, setHidden, ...shown } = useRoom(!!work.page.again);
  const panel = panelFor(work, wish);
  const show = (name: FlowPart) => {
    setWish(name);
    setSheetOpen(true);
    setHidden(false);
  };
  const close = () => {
    if (panel.name === "flow" || isNarrow()) setSheetOpen(false);
    select(NOTHING);
    setWish("flow");
    focusPart(work.selection.nodes[0] ?? work.selection.edges[0]);
  };
  return {
    panel,
    ...shown,
    close,
    /** Select parts, and show them. */
    open: (chosen: Selection) => {
      show("flow");
      select(chosen);
    },
    /** Select parts on the canvas; a panel that was put away stays so. */
    pick: (chosen: Selection) => {
      setWish("flow");
      setSheetOpen(true);
      select(chosen);
    },
    show: (name: FlowPart) => {
      select(NOTHING);
      show(name);
      focusPanel();
    },
  };
}

/** On a narrow screen the panel is a sheet over the canvas; elsewhere it stands beside it, unless it was put away. */
function useRoom(isAskedFor: boolean) {
  const [isSheetOpen, setSheetOpen] = useState(() => !isNarrow());
  const [isHidden, setHidden] = useRemembered(
    "panel-hidden",
    () => false,
    (stored): stored is boolean => isBoolean(stored) && !isAskedFor,
  );
  const [toggle, hideSheet] = [() => setHidden(!isHidden), () => setSheetOpen(false)];
  return { isSheetOpen, setSheetOpen, isHidden, setHidden, toggle, hideSheet };
}

function panelFor({ selection, nodes, edges }: Work, wish: FlowPart): Panel {
  const count = selection.nodes.length + selection.edges.length;
  if (count > 1) return { name: "many", title: "Selection" };
  const node = nodes.find((each) => each.key === selection.nodes[0]);
  if (node) return { name: "node", title: nameOf(node), node };
  const edge = edges.find((each) => each.key === selection.edges[0]);
  if (edge) return { name: "edge", title: "Edge", edge };
  return { name: wish, title: TITLES[wish] };
}

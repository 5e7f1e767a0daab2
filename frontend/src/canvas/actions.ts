// What the toolbar, the palette and the keys do to the canvas.

import { useReactFlow } from "@xyflow/react";
import { useRef, useState } from "react";
import { focusPanel } from "../browser/focus";
import { toast } from "../browser/toast";
import { type Direction, directionOf, turn } from "../document/canvas-settings";
import { type Clip, copyNodes, pasteNodes, readClip, shiftClip, writeClip } from "../document/clipboard";
import { connect } from "../document/connections";
import { moveNodes, removeParts } from "../document/edits";
import type { JsonObject } from "../document/json";
import type { Place } from "../document/parts";
import { NOTHING, type Work } from "../work";
import { type HalfLink, linkBetween } from "./connecting";
import { startOf, useFit } from "./fit";
import { placesOf, tidy } from "./layout";
import { addNode } from "./new-node";
import { centredAt } from "./node-size";

const SHIFT = { x: 40, y: 40 };

export type CanvasActions = ReturnType<typeof useCanvasActions>;

/** `open` selects parts and shows them in the panel; `work.select` only selects. */
export function useCanvasActions(work: Work, open: Work["select"]) {
  const { document, nodes, edges, selection, select, edit } = work;
  const canvas = useReactFlow();
  const clipboard = useClipboard(work, open);
  const fit = useFit();
  return {
    ...clipboard,
    ...useOverlay(),
    fit: () => fit(placesOf(nodes, edges, directionOf(document)), startOf(nodes, edges)),
    /** Add a node of a kind, joined with the one at the other end of `link`. */
    add: (name: string, place = centredAt(canvas.screenToFlowPosition(middleOfCanvas())), link?: HalfLink) => {
      const kind = work.kinds.get(name);
      if (!kind) return;
      const made = addNode(placed(work), nodes, kind, place);
      const joined = link && connect(made.document, linkBetween(link, { node: made.key, port: null }));
      edit((joined ?? made).document);
      open({ nodes: [made.key], edges: [] });
      focusPanel();
    },
    removeSelected: () => {
      edit(removeParts(document, new Set(selection.nodes), new Set(selection.edges)));
      select(NOTHING);
    },
    selectAll: () => select({ nodes: nodes.map((node) => node.key), edges: edges.map((edge) => edge.key) }),
    tidy: (direction: Direction = directionOf(document)) => {
      const places = tidy(nodes, edges, direction);
      edit(moveNodes(turn(document, direction), places));
      fit(places, startOf(nodes, edges));
    },
  };
}

/** What is open over the canvas. */
function useOverlay() {
  const [overlay, open] = useState<"find" | "keys" | null>(null);
  return { overlay, find: () => open("find"), showKeys: () => open("keys"), closeOverlay: () => open(null) };
}

/** The document with a place for each node: what is added to it must not move those that had none. */
function placed({ document, nodes, edges }: Work): JsonObject {
  if (nodes.every((node) => node.place)) return document;
  return moveNodes(document, placesOf(nodes, edges, directionOf(document)));
}

function useClipboard(work: Work, open: Work["select"]) {
  const { document, selection, edit, isReadOnly } = work;
  const clip = useRef<Clip | null>(null);
  /** Copy the selected nodes; gives the text for the system's clipboard, empty when there are none. */
  const copy = () => {
    const count = selection.nodes.length;
    if (!count) return "";
    clip.current = copyNodes(document, new Set(selection.nodes));
    toast(`Copied ${count} node${count === 1 ? "" : "s"}`);
    return writeClip(clip.current);
  };
  /** Paste the nodes in `text`, or else those that were copied last. */
  const paste = (text = "") => {
    const given = readClip(text) ?? clip.current;
    if (!given || isReadOnly) return;
    clip.current = shiftClip(given, SHIFT);
    insert(given);
  };
  const insert = (given: Clip) => {
    const made = pasteNodes(placed(work), given, SHIFT);
    edit(made.document);
    open({ nodes: made.keys, edges: [] });
  };
  /** A copy of the selected nodes beside them; the clipboard stays as it is. */
  const duplicate = () => {
    if (selection.nodes.length && !isReadOnly) insert(copyNodes(placed(work), new Set(selection.nodes)));
  };
  return { copy, paste, duplicate };
}

function middleOfCanvas(): Place {
  const { left, top, width, height } = document.querySelector(".canvas-frame")!.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2 };
}

// What the editor's parts share: the document, what is selected in it, and how it is changed.

import { createContext, useContext, useMemo, useReducer, useState } from "react";
import { type History, reduce, start } from "./document/history";
import type { JsonObject } from "./document/json";
import { type EdgeView, edgesOf, type NodeView, nodesOf } from "./document/parts";
import type { Kind, Page } from "./server/page";
import type { Alone, NodeTrace } from "./session/trying";

export type Selection = { nodes: string[]; edges: string[] };
export const NOTHING: Selection = { nodes: [], edges: [] };

export type Work = {
  page: Page;
  kinds: Map<string, Kind>;
  history: History;
  document: JsonObject;
  nodes: NodeView[];
  edges: EdgeView[];
  selection: Selection;
  select: (selection: Selection) => void;
  /** Replace the document; edits with the same tag in quick succession are undone as one. */
  edit: (document: JsonObject, tag?: string) => void;
  undo: () => void;
  redo: () => void;
  /** Begin anew with this document, without a way back. */
  reset: (document: JsonObject) => void;
  isReadOnly: boolean;
  /** What the nodes did when the flow was last tried. */
  tried: NodeTrace[];
  /** The node that was last run alone, and how to run one so. */
  alone: Alone | null;
  runAlone: (id: string) => void;
};

const Context = createContext<Work | null>(null);
export const WorkProvider = Context.Provider;

export function useWork(): Work {
  return useContext(Context)!;
}

export function useWorkState(page: Page): Omit<Work, "tried" | "alone" | "runAlone"> {
  const [history, act] = useReducer(reduce, page.saved.content, start);
  const [chosen, select] = useState<Selection>(() => linkedNode(page.saved.content));
  const document = history.present;
  const nodes = useMemo(() => nodesOf(document), [document]);
  const edges = useMemo(() => edgesOf(document), [document]);
  const selection = useMemo(() => existing(chosen, nodes, edges), [chosen, nodes, edges]);
  const kinds = useMemo(() => new Map(page.kinds.map((kind) => [kind.kind, kind])), [page]);
  const isReadOnly = !page.may_change;
  return {
    page,
    kinds,
    history,
    document,
    nodes,
    edges,
    selection,
    select,
    isReadOnly,
    edit: (changed, tag) => !isReadOnly && act({ do: "edit", document: changed, tag, at: Date.now() }),
    undo: () => act({ do: "undo" }),
    redo: () => act({ do: "redo" }),
    reset: (changed) => act({ do: "start", document: changed }),
  };
}

/** The node that the page's address names. */
function linkedNode(document: JsonObject): Selection {
  const id = new URLSearchParams(location.search).get("node");
  return id && nodesOf(document).some((node) => node.key === id) ? { nodes: [id], edges: [] } : NOTHING;
}

/** The selection without what an edit has taken away. */
function existing(chosen: Selection, nodes: NodeView[], edges: EdgeView[]): Selection {
  const keys = (parts: { key: string }[]) => new Set(parts.map((part) => part.key));
  const [nodeKeys, edgeKeys] = [keys(nodes), keys(edges)];
  return {
    nodes: chosen.nodes.filter((key) => nodeKeys.has(key)),
    edges: chosen.edges.filter((key) => edgeKeys.has(key)),
  };
}

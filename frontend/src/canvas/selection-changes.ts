// What xyflow reports about the selection, which comes as changes to it.

import type { EdgeChange, Node, NodeChange } from "@xyflow/react";
import { useRef } from "react";
import { type Selection, useWork } from "../work";

export type SelectChanges = (changes: (NodeChange<Node> | EdgeChange)[]) => void;

export function useSelectionChanges(select: (selection: Selection) => void): {
  nodes: SelectChanges;
  edges: SelectChanges;
} {
  const { selection } = useWork();
  // The changes of nodes and of edges may come before the next render; each applies to what the other has left.
  const latest = useRef(selection);
  latest.current = selection;
  const take =
    (list: "nodes" | "edges"): SelectChanges =>
    (changes) => {
      const picked = changes.flatMap((each) => (each.type === "select" ? [each] : []));
      if (!picked.length) return;
      const kept = new Set(latest.current[list]);
      for (const each of picked) {
        if (each.selected) kept.add(each.id);
        else kept.delete(each.id);
      }
      latest.current = { ...latest.current, [list]: [...kept] };
      select(latest.current);
    };
  return { nodes: take("nodes"), edges: take("edges") };
}

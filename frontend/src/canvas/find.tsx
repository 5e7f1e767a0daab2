// Find a node: by its name, its id, its kind, or a word in what it is configured with.

import { useEffect, useRef } from "react";
import { focusCanvas, focusPart } from "../browser/focus";
import { useWork } from "../work";
import { NodeSearch } from "./node-search";
import { useReveal } from "./reveal";

export function Find({ close }: { close: () => void }) {
  const { nodes, select } = useWork();
  const reveal = useReveal();
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.querySelector("input")?.focus(), []);
  const leave = () => {
    close();
    focusCanvas();
  };
  return (
    <search ref={box} className="find" onKeyDown={(event) => event.key === "Escape" && leave()}>
      <NodeSearch
        label="Find a node"
        placeholder="Name, id, kind or a word in it"
        isDeep
        nodes={nodes}
        look={(node) => reveal(node.key)}
        leave={leave}
        choose={(node) => {
          close();
          select({ nodes: [node.key], edges: [] });
          requestAnimationFrame(() => focusPart(node.key));
        }}
      />
      <button type="button" className="button quiet icon" aria-label="Close the search" onClick={leave}>
        ✕
      </button>
    </search>
  );
}

// Edges without a pointer: choose the node that comes next.

import { useState } from "react";
import { focusPart } from "../browser/focus";
import { toast } from "../browser/toast";
import { NodeSearch } from "../canvas/node-search";
import { connect, connectProblem, typeOfNext } from "../document/connections";
import type { NodeView } from "../document/parts";
import { useWork } from "../work";

export function ConnectTo({ node }: { node: NodeView }) {
  const { nodes } = useWork();
  const [port, setPort] = useState("");
  const join = useJoin(node, port);
  const others = nodes.filter((each) => each.key !== node.key && each.id && !each.type.startsWith("entry_"));
  if (!others.length || !node.id) return null;
  return (
    <div className="connect">
      {node.outputs.length > 1 && (
        <label>
          From port{" "}
          <select value={port} onChange={(event) => setPort(event.target.value)}>
            {node.outputs.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      )}
      <NodeSearch label="Connect to…" placeholder="Connect to…" nodes={others} choose={(other) => join(other.key)} />
    </div>
  );
}

/** Connects to a node. An edge that needs a condition is shown at once, so that it gets one. */
function useJoin(node: NodeView, port: string): (target: string) => void {
  const { document, edges, edit, select } = useWork();
  return (target) => {
    const link = { source: node.key, target, sourcePort: port || null };
    const made = connect(document, link);
    if (!made) return toast(connectProblem(document, link));
    edit(made.document);
    if (typeOfNext(edges, node) === "conditional") select({ nodes: [], edges: [made.key] });
    else focusPart(node.key);
  };
}

// Edges without a pointer: choose the node that comes next.

import { useState } from "react";
import { focusPart } from "../browser/focus";
import { connect } from "../document/connections";
import { type NodeView, nameOf } from "../document/parts";
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
      <label>
        Connect to…{" "}
        <select value="" onChange={(event) => event.target.value && join(event.target.value)}>
          <option value="">Choose a node</option>
          {others.map((each) => (
            <option key={each.key} value={each.key}>
              {nameOf(each)} ({each.key})
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** Connects to a node. An edge that needs a condition is shown at once, so that it gets one. */
function useJoin(node: NodeView, port: string): (target: string) => void {
  const { document, edit, select } = useWork();
  return (target) => {
    const type = node.type === "logic_decision" ? "conditional" : undefined;
    const made = connect(document, { source: node.key, target, sourcePort: port || null, type });
    if (!made) return;
    edit(made.document);
    if (type) select({ nodes: [], edges: [made.key] });
    else focusPart(node.key);
  };
}

// A node's id, which is renamed in one step: whatever names the node follows.

import { useEffect, useState } from "react";
import type { NodeView } from "../document/parts";
import { rename, renameProblem } from "../document/rename";
import { TextField } from "../fields/text-field";
import { useWork } from "../work";

export function IdField({ node }: { node: NodeView }) {
  const { document, edit, select, isReadOnly } = useWork();
  const [typed, setTyped] = useState(node.id);
  useEffect(() => setTyped(node.id), [node.id]);
  const isChanged = typed !== node.id;
  const problem = isChanged ? renameProblem(document, node.key, typed) : "";
  const take = () => {
    if (!isChanged || problem) return;
    edit(rename(document, node.key, typed));
    select({ nodes: [typed], edges: [] });
  };
  return (
    <div className="with-button">
      <TextField
        label="Id"
        isCode
        isDisabled={isReadOnly}
        value={typed}
        error={problem}
        onChange={setTyped}
        onKeyDown={(event) => event.key === "Enter" && take()}
        help="Edges, templates and expressions follow a new id."
      />
      {isChanged && (
        <button type="button" className="button quiet" disabled={!!problem} onClick={take}>
          Rename
        </button>
      )}
    </div>
  );
}

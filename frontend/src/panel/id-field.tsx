// A node's id, taken when the field is left: whatever names the node follows in one step.

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
    // biome-ignore lint/a11y/noStaticElementInteractions: the field inside has the focus that leaves.
    <div onBlur={take}>
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
    </div>
  );
}

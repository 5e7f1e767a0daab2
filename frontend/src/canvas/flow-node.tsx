// A node as it is drawn.

import { Handle, type Node, type NodeProps, Position, useUpdateNodeInternals } from "@xyflow/react";
import { memo, useEffect, useRef } from "react";
import type { Severity } from "../checks/findings";

export type NodeData = {
  name: string;
  kind: string;
  family: string;
  inputs: string[];
  outputs: string[];
  severity: Severity | "";
  isKnown: boolean;
  progress: string;
};

export const FlowNode = memo(function FlowNode({ id, data, isConnectable }: NodeProps<Node<NodeData>>) {
  const update = useUpdateNodeInternals();
  const ports = [...data.inputs, "", ...data.outputs].join("\n");
  const drawn = useRef(ports);
  // xyflow measures a new node by itself; when its ports change later, it has to be asked to.
  useEffect(() => {
    if (drawn.current !== ports) update(id);
    drawn.current = ports;
  }, [id, ports, update]);
  return (
    <div className={classesOf(data)}>
      <Ports type="target" names={data.inputs} isConnectable={isConnectable} />
      <span className="fnode-name">{data.name}</span>
      <span className="fnode-kind">{data.kind || "no kind"}</span>
      {data.severity && (
        <span className="fnode-mark" aria-hidden="true">
          {data.severity === "error" ? "✕" : "!"}
        </span>
      )}
      <Ports type="source" names={data.outputs} isConnectable={isConnectable} />
    </div>
  );
});

function classesOf({ family, progress, severity, isKnown }: NodeData): string {
  const marks = [progress && `is-${progress}`, severity && `has-${severity}`, isKnown ? "" : "is-unknown"];
  return ["fnode", family, ...marks].filter(Boolean).join(" ");
}

function Ports({ type, names, isConnectable }: { type: "source" | "target"; names: string[]; isConnectable: boolean }) {
  const isSource = type === "source";
  return names.map((name, index) => {
    const top = `${((index + 1) / (names.length + 1)) * 100}%`;
    return (
      <Handle
        key={name}
        id={name}
        type={type}
        position={isSource ? Position.Right : Position.Left}
        isConnectable={isConnectable}
        style={{ top }}
      >
        {names.length > 1 && <span className={`port-name ${type}`}>{name}</span>}
      </Handle>
    );
  });
}

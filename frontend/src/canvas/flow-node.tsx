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
  /** Whether the flow is drawn from top to bottom: then ports are above and below. */
  isDown: boolean;
};

export const FlowNode = memo(function FlowNode({ id, data, isConnectable }: NodeProps<Node<NodeData>>) {
  const update = useUpdateNodeInternals();
  const ports = [data.isDown, ...data.inputs, "", ...data.outputs].join("\n");
  const drawn = useRef(ports);
  // xyflow measures a new node by itself; when its ports change later, it has to be asked to.
  useEffect(() => {
    if (drawn.current !== ports) update(id);
    drawn.current = ports;
  }, [id, ports, update]);
  const { isDown } = data;
  return (
    <div className={classesOf(data)}>
      <Ports type="target" names={data.inputs} {...{ isConnectable, isDown }} />
      <span className="fnode-name">{data.name}</span>
      <span className="fnode-kind">{data.kind || "no kind"}</span>
      {data.severity && (
        <span className="fnode-mark" aria-hidden="true">
          {data.severity === "error" ? "✕" : "!"}
        </span>
      )}
      <Ports type="source" names={data.outputs} {...{ isConnectable, isDown }} />
    </div>
  );
});

function classesOf({ family, progress, severity, isKnown }: NodeData): string {
  const marks = [progress && `is-${progress}`, severity && `has-${severity}`, isKnown ? "" : "is-unknown"];
  return ["fnode", family, ...marks].filter(Boolean).join(" ");
}

type PortsProps = { type: "source" | "target"; names: string[]; isConnectable: boolean; isDown: boolean };

const SIDES = {
  source: [Position.Right, Position.Bottom],
  target: [Position.Left, Position.Top],
} as const;

function Ports({ type, names, isConnectable, isDown }: PortsProps) {
  return names.map((name, index) => {
    const share = `${((index + 1) / (names.length + 1)) * 100}%`;
    return (
      <Handle
        key={name}
        id={name}
        type={type}
        position={SIDES[type][isDown ? 1 : 0]}
        isConnectable={isConnectable}
        style={isDown ? { left: share } : { top: share }}
      >
        {names.length > 1 && <span className={`port-name ${type} ${isDown ? "is-down" : ""}`}>{name}</span>}
      </Handle>
    );
  });
}

// Which ports a node is drawn with.

import type { EdgeView, NodeView } from "../document/parts";

export type Ports = { inputs: string[]; outputs: string[] };

/** The ports of each node: those declared, those that edges use, and one to draw the first edge with. */
export function drawnPorts(nodes: NodeView[], edges: EdgeView[]): Map<string, Ports> {
  const ports = new Map(nodes.map((node) => [node.key, declaredPorts(node)]));
  for (const edge of edges) {
    addPort(ports.get(edge.source)?.outputs, edge.sourcePort, "out");
    addPort(ports.get(edge.target)?.inputs, edge.targetPort, "in");
  }
  return ports;
}

function declaredPorts(node: NodeView): Ports {
  const isEntry = node.type.startsWith("entry_");
  const inputs = node.inputs.length ? node.inputs : isEntry ? [] : ["in"];
  return { inputs: [...inputs], outputs: node.outputs.length ? [...node.outputs] : ["out"] };
}

/** An edge that names no port takes the first one; only a node without any gets the standard one for it. */
function addPort(names: string[] | undefined, port: string | null, standard: string): void {
  if (names && (port ? !names.includes(port) : !names.length)) names.push(port ?? standard);
}

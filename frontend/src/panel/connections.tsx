// What a node leads to and comes from, and edges made without a pointer.

import { focusPanel } from "../browser/focus";
import { moveEdge, removeParts } from "../document/edits";
import { type EdgeView, isElse, type NodeView, nameOf } from "../document/parts";
import { useWork } from "../work";
import { ConnectTo } from "./connect-to";

export function Connections({ node }: { node: NodeView }) {
  const { edges, isReadOnly } = useWork();
  const incoming = edges.filter((edge) => edge.target === node.key);
  return (
    <section className="connections" aria-label="Connections">
      <h3>Leads to</h3>
      <Outgoing edges={edges.filter((edge) => edge.source === node.key)} />
      {!isReadOnly && <ConnectTo node={node} />}
      {incoming.length > 0 && <Incoming edges={incoming} />}
    </section>
  );
}

function Outgoing({ edges }: { edges: EdgeView[] }) {
  if (!edges.length) return <p className="muted small">Nothing yet.</p>;
  return (
    <ol>
      {edges.map((edge, index) => (
        <OutgoingEdge key={edge.key} edge={edge} isFirst={!index} isLast={index === edges.length - 1} />
      ))}
    </ol>
  );
}

function Incoming({ edges }: { edges: EdgeView[] }) {
  const name = useNodeName();
  return (
    <>
      <h3>Comes from</h3>
      <ol>
        {edges.map((edge) => (
          <li key={edge.key}>
            <EdgeLink edge={edge} text={name(edge.source)} />
          </li>
        ))}
      </ol>
    </>
  );
}

/** One way out. The first condition that holds decides, so conditions can be put in another order. */
function OutgoingEdge({ edge, isFirst, isLast }: { edge: EdgeView; isFirst: boolean; isLast: boolean }) {
  const { document, edit, isReadOnly } = useWork();
  const to = useNodeName()(edge.target);
  const isOrdered = edge.type === "conditional" && !isReadOnly;
  const move = (by: -1 | 1) => edit(moveEdge(document, edge.key, by));
  const cut = () => edit(removeParts(document, new Set(), new Set([edge.key])));
  return (
    <li>
      <EdgeLink edge={edge} text={to} />
      {isOrdered && !isFirst && <IconButton label={`Ask for ${to} earlier`} icon="↑" act={() => move(-1)} />}
      {isOrdered && !isLast && <IconButton label={`Ask for ${to} later`} icon="↓" act={() => move(1)} />}
      {!isReadOnly && <IconButton label={`Cut the edge to ${to}`} icon="✕" act={cut} />}
    </li>
  );
}

function IconButton({ label, icon, act }: { label: string; icon: string; act: () => void }) {
  return (
    <button type="button" className="button quiet icon" aria-label={label} onClick={act}>
      {icon}
    </button>
  );
}

function EdgeLink({ edge, text }: { edge: EdgeView; text: string }) {
  const { select } = useWork();
  const condition = conditionOf(edge);
  const go = () => {
    select({ nodes: [], edges: [edge.key] });
    focusPanel();
  };
  return (
    <button type="button" className="link" onClick={go}>
      <span className="unseen">Edge: </span>
      {text}
      {condition && <code>{condition}</code>}
    </button>
  );
}

function conditionOf(edge: EdgeView): string {
  if (edge.type === "data") return "data";
  if (edge.type !== "conditional") return "";
  return isElse(edge) ? "else" : edge.condition || "no condition yet";
}

/** The name of the node with a key, or the key where there is no such node. */
function useNodeName(): (key: string) => string {
  const { nodes } = useWork();
  return (key) => {
    const node = nodes.find((each) => each.key === key);
    return node ? nameOf(node) : key;
  };
}

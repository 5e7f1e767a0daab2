// One node: its label and id, the config as its kind describes it, and what it is connected with.

import { useEffect, useState } from "react";
import { fieldsOf } from "../document/config-fields";
import { aboutField, besides, type Located } from "../document/findings";
import { at, type Json, type JsonObject, listOf, objectOf, textOf, without } from "../document/json";
import {
  changeEntry,
  connect,
  type EdgeView,
  isElse,
  moveEdge,
  type NodeView,
  nameOf,
  remove,
} from "../document/parts";
import { refusal, rename } from "../document/rename";
import { ConfigField, JsonField, TextField } from "../fields/fields";
import { focusPart } from "../shell/focus";
import { Prose } from "../shell/prose";
import { useWork } from "../state";

export function NodePanel({ node, found }: { node: NodeView; found: Located[] }) {
  const { page, kinds, document, edit, isReadOnly } = useWork();
  const kind = kinds.get(node.type);
  const why = page.unavailable[node.type];
  const fields = fieldsOf(kind?.config_schema);
  const change = (tag: string, alter: (raw: JsonObject) => JsonObject) =>
    edit(changeEntry(document, "nodes", node.index, alter), `${node.key}.${tag}`);
  const set = (name: string, value: Json | undefined) =>
    change(name, (raw) => ({
      ...raw,
      config: value === undefined ? without(objectOf(raw.config), name) : { ...objectOf(raw.config), [name]: value },
    }));
  const names = (path: string[], key: string) =>
    listOf(at(document, path))
      .map((each) => textOf(objectOf(each)[key]))
      .filter(Boolean);
  const suggestions = {
    variable: names(["variables"], "name"),
    llm_role: names(["config", "core_identity", "models"], "role"),
  };
  const shown = new Set(fields.map((field) => `nodes[${node.index}].config.${field.name}`));
  const general = found.filter(
    (each) => each.node === node.key && !each.edge && ![...shown].some((path) => each.path.startsWith(path)),
  );
  return (
    <>
      {general.map((each, place) => (
        <p key={place} className={`notice ${each.severity === "error" ? "bad" : "warn"}`}>
          <Prose text={besides(node.id, each.message)} />
        </p>
      ))}
      <p className="muted small">
        {kind
          ? `${kind.label}: ${kind.summary}`
          : why
            ? `This installation cannot run this kind: ${why}.`
            : "This kind is not part of the language; the node is kept as it is."}{" "}
        <code>{node.type}</code>
      </p>
      <TextField
        label="Label"
        isDisabled={isReadOnly}
        value={node.label}
        onChange={(value) => change("label", (raw) => ({ ...raw, label: value }))}
      />
      <IdField node={node} />
      {fields.map((field) => (
        <ConfigField
          key={field.name}
          field={field}
          isDisabled={isReadOnly}
          value={node.config[field.name]}
          suggestions={suggestions}
          {...aboutField(found, node, field.name)}
          onChange={(value) => set(field.name, value)}
        />
      ))}
      <Connections node={node} />
      <details className="more" open={!kind}>
        <summary>Configuration as JSON</summary>
        <JsonField
          label="Configuration"
          isObjectOnly
          isDisabled={isReadOnly}
          value={node.config}
          onChange={(value) => change("config", (raw) => ({ ...raw, config: value! }))}
        />
      </details>
    </>
  );
}

function IdField({ node }: { node: NodeView }) {
  const { document, edit, select, isReadOnly } = useWork();
  const [typed, setTyped] = useState(node.id);
  useEffect(() => setTyped(node.id), [node.id]);
  const wrong = typed === node.id ? "" : refusal(document, node.key, typed);
  const take = () => {
    if (typed === node.id || wrong) return;
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
        error={wrong}
        onChange={setTyped}
        onKeyDown={(event) => event.key === "Enter" && take()}
        help="Edges, templates and expressions follow a new id."
      />
      {typed !== node.id && (
        <button type="button" className="button quiet" disabled={!!wrong} onClick={take}>
          Rename
        </button>
      )}
    </div>
  );
}

function Connections({ node }: { node: NodeView }) {
  const { nodes, edges, isReadOnly } = useWork();
  const leaving = edges.filter((edge) => edge.source === node.key);
  const coming = edges.filter((edge) => edge.target === node.key);
  const names = new Map(nodes.map((each) => [each.key, nameOf(each)]));
  return (
    <section className="connections" aria-label="Connections">
      <h3>Leads to</h3>
      {leaving.length > 0 ? (
        <ol>
          {leaving.map((edge, place) => (
            <Leaving
              key={edge.key}
              edge={edge}
              to={names.get(edge.target) ?? edge.target}
              isFirst={!place}
              isLast={place === leaving.length - 1}
            />
          ))}
        </ol>
      ) : (
        <p className="muted small">Nothing yet.</p>
      )}
      {!isReadOnly && <ConnectTo node={node} />}
      {coming.length > 0 && (
        <>
          <h3>Comes from</h3>
          <ol>
            {coming.map((edge) => (
              <li key={edge.key}>
                <EdgeLink edge={edge} text={names.get(edge.source) ?? edge.source} />
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function EdgeLink({ edge, text }: { edge: EdgeView; text: string }) {
  const { select } = useWork();
  const told =
    edge.type === "conditional"
      ? isElse(edge)
        ? "else"
        : edge.condition || "no condition yet"
      : edge.type === "data"
        ? "data"
        : "";
  return (
    <button
      type="button"
      className="link"
      onClick={() => {
        select({ nodes: [], edges: [edge.key] });
        document.querySelector<HTMLElement>("#panel h2")?.focus();
      }}
    >
      <span className="unseen">Edge: </span>
      {text}
      {told && <code>{told}</code>}
    </button>
  );
}

function Leaving({ edge, to, isFirst, isLast }: { edge: EdgeView; to: string; isFirst: boolean; isLast: boolean }) {
  const { document, edit, isReadOnly } = useWork();
  const isOrdered = edge.type === "conditional" && !isReadOnly;
  return (
    <li>
      <EdgeLink edge={edge} text={to} />
      {isOrdered && !isFirst && (
        <button
          type="button"
          className="button quiet icon"
          aria-label={`Ask for ${to} earlier`}
          onClick={() => edit(moveEdge(document, edge.key, -1))}
        >
          ↑
        </button>
      )}
      {isOrdered && !isLast && (
        <button
          type="button"
          className="button quiet icon"
          aria-label={`Ask for ${to} later`}
          onClick={() => edit(moveEdge(document, edge.key, 1))}
        >
          ↓
        </button>
      )}
      {!isReadOnly && (
        <button
          type="button"
          className="button quiet icon"
          aria-label={`Cut the edge to ${to}`}
          onClick={() => edit(remove(document, new Set(), new Set([edge.key])))}
        >
          ✕
        </button>
      )}
    </li>
  );
}

/** Edges without a pointer: choose the node that comes next. */
function ConnectTo({ node }: { node: NodeView }) {
  const { document, nodes, edit, select } = useWork();
  const [port, setPort] = useState("");
  const others = nodes.filter((each) => each.key !== node.key && each.id && !each.type.startsWith("entry_"));
  if (!others.length || !node.id) return null;
  const take = (target: string) => {
    const type = node.type === "logic_decision" ? "conditional" : undefined;
    const made = connect(document, { source: node.key, target, sourcePort: port || null, ...(type && { type }) });
    if (!made) return;
    edit(made.document);
    if (type) select({ nodes: [], edges: [made.key] });
    else focusPart(node.key);
  };
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
        <select value="" onChange={(event) => event.target.value && take(event.target.value)}>
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

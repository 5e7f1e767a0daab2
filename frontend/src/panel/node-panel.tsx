// One node: its label and id, the config as its kind describes it, and what it is connected with.

import { FindingNotice } from "../checks/finding-notice";
import { type Finding, fieldMessages, withoutNodeName } from "../checks/findings";
import { fieldsOf } from "../document/config-fields";
import { changeEntry } from "../document/edits";
import { at, type Json, type JsonObject, listOf, objectOf, put, textOf } from "../document/json";
import type { NodeView } from "../document/parts";
import type { Suggestions } from "../fields/config-controls";
import { ConfigField } from "../fields/config-field";
import { JsonField } from "../fields/json-field";
import { TextField } from "../fields/text-field";
import { useWork } from "../work";
import { Connections } from "./connections";
import { IdField } from "./id-field";
import { NamesAt } from "./names-at";
import { LastRun } from "./node-outcome";

type Props = { node: NodeView; findings: Finding[] };

export function NodePanel({ node, findings }: Props) {
  const { kinds, isReadOnly } = useWork();
  const change = useNodeChange(node);
  return (
    <>
      <GeneralFindings node={node} findings={findings} />
      <KindSummary type={node.type} />
      <LastRun id={node.id} />
      <TextField
        label="Label"
        isDisabled={isReadOnly}
        value={node.label}
        onChange={(value) => change(["label"], value)}
      />
      <IdField node={node} />
      <NamesAt node={node.key}>
        <ConfigFields node={node} findings={findings} />
      </NamesAt>
      <Connections node={node} />
      <details className="more" open={!kinds.has(node.type)}>
        <summary>Configuration as JSON</summary>
        <JsonField
          label="Configuration"
          isObjectOnly
          isDisabled={isReadOnly}
          value={node.config}
          onChange={(value) => change(["config"], value)}
        />
      </details>
    </>
  );
}

/** Changes the value at a path inside the node; going on typing there is one step to undo. */
function useNodeChange(node: NodeView): (path: string[], value: Json | undefined) => void {
  const { document, edit } = useWork();
  return (path, value) => {
    const changed = changeEntry(document, "nodes", node.index, (raw: JsonObject) => put(raw, path, value));
    edit(changed, `${node.key}.${path.at(-1)}`);
  };
}

function useFields(node: NodeView) {
  const { kinds } = useWork();
  return fieldsOf(kinds.get(node.type)?.config_schema);
}

/** What is said about the node and about none of its fields. */
function GeneralFindings({ node, findings }: Props) {
  const paths = useFields(node).map((field) => `nodes[${node.index}].config.${field.name}`);
  const general = findings.filter(
    (each) => each.node === node.key && !each.edge && !paths.some((path) => each.path.startsWith(path)),
  );
  return general.map((each, index) => (
    <FindingNotice key={index} severity={each.severity} text={withoutNodeName(node.id, each.message)} />
  ));
}

function KindSummary({ type }: { type: string }) {
  const { page, kinds } = useWork();
  const kind = kinds.get(type);
  const why = page.unavailable[type];
  const summary = kind
    ? `${kind.label}: ${kind.summary}`
    : why
      ? `This installation cannot run this kind: ${why}.`
      : "This kind is not part of the language; the node is kept as it is.";
  return (
    <p className="muted small">
      {summary} <code>{type}</code>
    </p>
  );
}

function ConfigFields({ node, findings }: Props) {
  const { isReadOnly } = useWork();
  const change = useNodeChange(node);
  const suggestions = useSuggestions();
  return useFields(node).map((field) => (
    <ConfigField
      key={field.name}
      field={field}
      isDisabled={isReadOnly}
      value={node.config[field.name]}
      suggestions={suggestions}
      {...fieldMessages(findings, node, field.name)}
      onChange={(value) => change(["config", field.name], value)}
    />
  ));
}

/** Names that the document already has, for the fields that take one. */
function useSuggestions(): Suggestions {
  const { document } = useWork();
  const names = (path: string[], key: string) =>
    listOf(at(document, path))
      .map((each) => textOf(objectOf(each)[key]))
      .filter(Boolean);
  return {
    variable: names(["variables"], "name"),
    llm_role: names(["config", "core_identity", "models"], "role"),
  };
}

// One edge: where it leads, of which kind it is, and when it is taken.

import { FindingNotice } from "../checks/finding-notice";
import type { Finding } from "../checks/findings";
import { changeEntry, removeParts } from "../document/edits";
import { type JsonObject, without } from "../document/json";
import { type EdgeView, ELSE, isElse, nameOf } from "../document/parts";
import { CheckField } from "../fields/check-field";
import { ChoiceField } from "../fields/choice-field";
import { TextField } from "../fields/text-field";
import { NOTHING, useWork } from "../work";
import { NamesAt } from "./names-at";

const TYPES: [string, string][] = [
  ["sequential", "Always taken"],
  ["conditional", "Taken when its condition holds"],
  ["data", "Only brings a value"],
];

export function EdgePanel({ edge, findings }: { edge: EdgeView; findings: Finding[] }) {
  const { document, edit, select, isReadOnly } = useWork();
  const mine = findings.filter((each) => each.edge === edge.key);
  const cut = () => {
    edit(removeParts(document, new Set(), new Set([edge.key])));
    select(NOTHING);
  };
  return (
    <>
      <Ends edge={edge} />
      <TypeField edge={edge} />
      {edge.type === "conditional" && <Condition edge={edge} error={mine.map((each) => each.message).join(" ")} />}
      {!hasConditionField(edge) &&
        mine.map((each, index) => <FindingNotice key={index} severity={each.severity} text={each.message} />)}
      <Facts edge={edge} />
      {!isReadOnly && (
        <button type="button" className="button quiet" onClick={cut}>
          Cut this edge
        </button>
      )}
    </>
  );
}

/** Whether there is a field for the condition, which then shows what is said about the edge. */
function hasConditionField(edge: EdgeView): boolean {
  return edge.type === "conditional" && !isElse(edge);
}

function Ends({ edge }: { edge: EdgeView }) {
  return (
    <p className="ends">
      <NodeLink nodeKey={edge.source} /> → <NodeLink nodeKey={edge.target} />
    </p>
  );
}

function NodeLink({ nodeKey: key }: { nodeKey: string }) {
  const { nodes, select } = useWork();
  const node = nodes.find((each) => each.key === key) ?? { key, id: key, label: "" };
  return (
    <button type="button" className="link" onClick={() => select({ nodes: [key], edges: [] })}>
      {nameOf(node)}
    </button>
  );
}

function useEdgeChange(edge: EdgeView) {
  const { document, edit } = useWork();
  return (change: (raw: JsonObject) => JsonObject, tag?: string) =>
    edit(changeEntry(document, "edges", edge.index, change), tag);
}

function TypeField({ edge }: { edge: EdgeView }) {
  const { isReadOnly } = useWork();
  const change = useEdgeChange(edge);
  const setType = (type: string) =>
    change((raw) => ({
      ...(type === "conditional" ? { condition: "", ...raw } : without(raw, "condition")),
      type,
    }));
  return (
    <ChoiceField label="Kind of edge" isDisabled={isReadOnly} value={edge.type} choices={TYPES} onChange={setType} />
  );
}

function Condition({ edge, error }: { edge: EdgeView; error: string }) {
  const { isReadOnly } = useWork();
  const change = useEdgeChange(edge);
  const set = (condition: string) => change((raw) => ({ ...raw, condition }), `edge ${edge.key} condition`);
  return (
    <>
      <CheckField
        label="Otherwise (else)"
        help="Taken when no other condition holds."
        isDisabled={isReadOnly}
        value={isElse(edge)}
        onChange={(isChecked) => set(isChecked ? ELSE : "")}
      />
      {hasConditionField(edge) && (
        <NamesAt node={edge.source} andItself>
          <TextField
            label="Condition"
            isLong
            isCode
            isDisabled={isReadOnly}
            value={edge.condition}
            placeholder={'message.contains("refund")'}
            error={error}
            help="An expression (CEL) over message, state and the results of nodes."
            language="expression"
            onChange={set}
          />
        </NamesAt>
      )}
    </>
  );
}

function Facts({ edge }: { edge: EdgeView }) {
  return (
    <dl className="facts-list">
      <dt>Id</dt>
      <dd>
        <code>{edge.id || "—"}</code>
      </dd>
      <dt>Ports</dt>
      <dd>
        <code>{edge.sourcePort ?? "—"}</code> → <code>{edge.targetPort ?? "—"}</code>
      </dd>
    </dl>
  );
}

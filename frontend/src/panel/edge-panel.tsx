// One edge: where it leads, of which kind it is, and when it is taken.

import type { Located } from "../document/findings";
import { without } from "../document/json";
import { changeEntry, type EdgeView, ELSE, isElse, nameOf, remove } from "../document/parts";
import { CheckField, ChoiceField, TextField } from "../fields/fields";
import { Prose } from "../shell/prose";
import { NOTHING, useWork } from "../state";

const TYPES: [string, string][] = [
  ["sequential", "Always taken"],
  ["conditional", "Taken when its condition holds"],
  ["data", "Only brings a value"],
];

export function EdgePanel({ edge, found }: { edge: EdgeView; found: Located[] }) {
  const { nodes, document, edit, select, isReadOnly } = useWork();
  const name = (key: string) => nameOf(nodes.find((node) => node.key === key) ?? { key, id: key, label: "" });
  const mine = found.filter((each) => each.edge === edge.key);
  const set = (changes: Record<string, string>) =>
    edit(
      changeEntry(document, "edges", edge.index, (raw) => ({ ...raw, ...changes })),
      `edge ${edge.key} ${Object.keys(changes).join()}`,
    );
  const type = (value: string) =>
    edit(
      changeEntry(document, "edges", edge.index, (raw) => ({
        ...(value === "conditional" ? { condition: "", ...raw } : without(raw, "condition")),
        type: value,
      })),
    );
  const go = (key: string) => select({ nodes: [key], edges: [] });
  return (
    <>
      <p className="ends">
        <button type="button" className="link" onClick={() => go(edge.source)}>
          {name(edge.source)}
        </button>{" "}
        →{" "}
        <button type="button" className="link" onClick={() => go(edge.target)}>
          {name(edge.target)}
        </button>
      </p>
      <ChoiceField label="Kind of edge" isDisabled={isReadOnly} value={edge.type} choices={TYPES} onChange={type} />
      {edge.type === "conditional" && (
        <>
          <CheckField
            label="Otherwise (else)"
            help="Taken when no other condition holds."
            isDisabled={isReadOnly}
            value={isElse(edge)}
            onChange={(is) => set({ condition: is ? ELSE : "" })}
          />
          {!isElse(edge) && (
            <TextField
              label="Condition"
              isLong
              isCode
              isDisabled={isReadOnly}
              value={edge.condition}
              placeholder={'message.contains("refund")'}
              error={mine.map((each) => each.message).join(" ")}
              help="An expression (CEL) over message, state and the results of nodes."
              onChange={(value) => set({ condition: value })}
            />
          )}
        </>
      )}
      {(edge.type !== "conditional" || isElse(edge)) &&
        mine.map((each, place) => (
          <p key={place} className={`notice ${each.severity === "error" ? "bad" : "warn"}`}>
            <Prose text={each.message} />
          </p>
        ))}
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
      {!isReadOnly && (
        <button
          type="button"
          className="button quiet"
          onClick={() => {
            edit(remove(document, new Set(), new Set([edge.key])));
            select(NOTHING);
          }}
        >
          Cut this edge
        </button>
      )}
    </>
  );
}

// What the compiler says of the document as it stands, each finding with a way to its place.

import type { Located } from "../document/findings";
import { nameOf } from "../document/parts";
import type { Checked } from "../session/validation";
import { NOTHING, useWork } from "../state";
import { focusPanel } from "./focus";
import { Prose } from "./prose";

export function Checks({ found, state }: { found: Located[]; state: Checked["state"] }) {
  const errors = found.filter((each) => each.severity === "error").length;
  const warnings = found.length - errors;
  const told = state === "failed" ? "The check is not available right now" : counted(errors, warnings);
  return (
    <details className="checks" open={errors > 0 || undefined}>
      <summary>
        <span
          className={`badge ${errors ? "bad" : warnings ? "warn" : state === "done" ? "good" : ""}`}
          aria-live="polite"
          aria-busy={state === "checking"}
        >
          {told}
        </span>
      </summary>
      {found.length > 0 ? (
        <ul className="findings">
          {found.map((each, place) => (
            <Finding key={place} found={each} />
          ))}
        </ul>
      ) : (
        <p className="muted small">Nothing to mend. The flow is checked while you work.</p>
      )}
    </details>
  );
}

function counted(errors: number, warnings: number): string {
  const parts = [
    errors && `${errors} error${errors === 1 ? "" : "s"}`,
    warnings && `${warnings} warning${warnings === 1 ? "" : "s"}`,
  ].filter(Boolean);
  return parts.join(", ") || "No errors";
}

function Finding({ found }: { found: Located }) {
  const { nodes, select } = useWork();
  const node = nodes.find((each) => each.key === found.node);
  const go = () => {
    select(found.edge ? { nodes: [], edges: [found.edge] } : found.node ? { nodes: [found.node], edges: [] } : NOTHING);
    focusPanel();
  };
  const place = found.edge
    ? "Show the edge"
    : node
      ? `Show node ${nameOf(node)}`
      : found.path.startsWith("config") || found.path.startsWith("variables")
        ? "Show the flow’s properties"
        : "";
  return (
    <li>
      <span className={`badge ${found.severity === "error" ? "bad" : "warn"}`}>
        {found.severity === "error" ? "Error" : "Warning"}
      </span>
      <div>
        <p>
          <Prose text={found.message} />
        </p>
        <p className="about small">
          {place && (
            <button type="button" className="link" onClick={go}>
              {place}
            </button>
          )}
          <code>{found.code}</code>
          {found.path && <code>{found.path}</code>}
        </p>
      </div>
    </li>
  );
}

// What the compiler says of the document as it is, each finding with a way to the part that it is about.

import { focusPanel } from "../browser/focus";
import { nameOf } from "../document/parts";
import { Prose } from "../text/prose";
import { NOTHING, type Selection, useWork } from "../work";
import type { Finding } from "./findings";
import type { Validation } from "./validation";

export function Checks({ findings, state }: { findings: Finding[]; state: Validation["state"] }) {
  const errors = findings.filter((each) => each.severity === "error").length;
  const warnings = findings.length - errors;
  return (
    <details className="checks" open={errors > 0 || undefined}>
      <summary>
        <span
          className={`badge ${errors ? "bad" : warnings ? "warn" : state === "done" ? "good" : ""}`}
          aria-live="polite"
          aria-busy={state === "checking"}
        >
          {state === "failed" ? "The check is not available right now" : counts(errors, warnings)}
        </span>
      </summary>
      {findings.length > 0 ? (
        <ul className="findings">
          {findings.map((each, index) => (
            <Row key={index} finding={each} />
          ))}
        </ul>
      ) : (
        <p className="muted small">Nothing to fix. The flow is checked while you work.</p>
      )}
    </details>
  );
}

function counts(errors: number, warnings: number): string {
  const parts = [
    errors && `${errors} error${errors === 1 ? "" : "s"}`,
    warnings && `${warnings} warning${warnings === 1 ? "" : "s"}`,
  ];
  return parts.filter(Boolean).join(", ") || "No errors";
}

function Row({ finding }: { finding: Finding }) {
  const { select } = useWork();
  const way = useWayTo(finding);
  const isError = finding.severity === "error";
  const go = () => {
    select(partOf(finding));
    focusPanel();
  };
  return (
    <li>
      <span className={`badge ${isError ? "bad" : "warn"}`}>{isError ? "Error" : "Warning"}</span>
      <div>
        <p>
          <Prose text={finding.message} />
        </p>
        <p className="about small">
          {way && (
            <button type="button" className="link" onClick={go}>
              {way}
            </button>
          )}
          <code>{finding.code}</code>
          {finding.path && <code>{finding.path}</code>}
        </p>
      </div>
    </li>
  );
}

function partOf({ node, edge }: Finding): Selection {
  if (edge) return { nodes: [], edges: [edge] };
  return node ? { nodes: [node], edges: [] } : NOTHING;
}

/** What the button to the part says; empty where the page shows no such part. */
function useWayTo({ node: key, edge, path }: Finding): string {
  const { nodes } = useWork();
  const node = nodes.find((each) => each.key === key);
  if (edge) return "Show the edge";
  if (node) return `Show node ${nameOf(node)}`;
  return path.startsWith("config") || path.startsWith("variables") ? "Show the flow’s properties" : "";
}

// The flow as it is on the canvas, tried: a message, the answer as it comes, and what each node did.

import { type FormEvent, useState } from "react";
import type { Finding } from "../checks/findings";
import type { JsonObject } from "../document/json";
import { testOf } from "../document/tests";
import type { NodeTrace, Trying } from "../session/trying";
import { NOTHING, useWork } from "../work";
import { CallFields } from "./call-fields";
import { useEntries } from "./entries";
import { NodeOutcome, stateOf } from "./node-outcome";

type Props = { trying: Trying; findings: Finding[]; showTests: () => void };

export function RunPanel({ trying, findings, showTests }: Props) {
  const { document } = useWork();
  const { call, setCall, attempt, nodes, run, stop } = trying;
  const [refusedFor, setRefusedFor] = useState<JsonObject | null>(null);
  const hasErrors = findings.some((each) => each.severity === "error");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (hasErrors) setRefusedFor(document);
    else if (!attempt.isRunning) run(document);
  };
  return (
    <>
      <p className="muted small">
        Runs the flow as it is on the canvas, saved or not, with your own rights. It is counted as a test, and no memory
        is read or kept.
      </p>
      <form className="stack" onSubmit={submit}>
        <CallFields call={call} onChange={setCall} />
        <div className="row">
          <button type="submit" className="button main" aria-disabled={attempt.isRunning || undefined}>
            Run
          </button>
          {attempt.isRunning && (
            <button type="button" className="button" onClick={stop}>
              Stop
            </button>
          )}
        </div>
      </form>
      {refusedFor === document && (
        <p className="notice bad" role="alert">
          Nothing ran: correct the errors that stand below the canvas first.
        </p>
      )}
      <Answer trying={trying} />
      {attempt.ended && <MakeTest trying={trying} showTests={showTests} />}
      {nodes.length > 0 && (
        <section className="stack" aria-labelledby="run-nodes">
          <h3 id="run-nodes">What the nodes did</h3>
          <ol className="run-nodes">
            {nodes.map((node, index) => (
              <NodeRow key={index} node={node} />
            ))}
          </ol>
        </section>
      )}
    </>
  );
}

function Answer({ trying: { attempt } }: { trying: Trying }) {
  const { isRunning, text, tokens, problem, ended } = attempt;
  const counted = tokens === null ? "" : ` ${tokens} tokens.`;
  return (
    <section className="stack" aria-label="Answer of the run">
      <p role="status" className="muted small">
        {isRunning ? "Running…" : ended && `${ended}${counted}`}
      </p>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      {text && <div className="run-answer">{text}</div>}
      {ended && !text && <p className="muted">The answer is empty.</p>}
    </section>
  );
}

/** One click: what was asked, and what was answered, becomes a test of the document. */
function MakeTest({ trying: { attempt }, showTests }: { trying: Trying; showTests: () => void }) {
  const { add, entries } = useEntries(["tests"]);
  const make = () => {
    add(testOf(attempt.call, attempt.answer, entries));
    showTests();
  };
  return (
    <div className="row">
      <button type="button" className="button" onClick={make}>
        Make a test from this run
      </button>
    </div>
  );
}

function NodeRow({ node }: { node: NodeTrace }) {
  const { nodes, select } = useWork();
  const drawn = nodes.find((each) => each.id === node.id);
  return (
    <li>
      <details open={stateOf(node) === "failed" || undefined}>
        <summary>
          <strong>{drawn?.label || node.id}</strong> <NodeState node={node} />
        </summary>
        <NodeOutcome node={node} />
        {drawn && (
          <button type="button" className="link" onClick={() => select({ ...NOTHING, nodes: [drawn.key] })}>
            Show the node
          </button>
        )}
      </details>
    </li>
  );
}

function NodeState({ node }: { node: NodeTrace }) {
  const state = stateOf(node);
  if (state === "running") return <span className="badge">running</span>;
  const kind = state === "failed" ? "bad" : node.warnings?.length ? "warn" : "good";
  return (
    <span className={`badge ${kind}`}>
      {state === "failed" ? "failed" : "done"}, {Math.round(node.duration_ms ?? 0)} ms
    </span>
  );
}

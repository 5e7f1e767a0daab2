// What one node did in the last run: its result, its warnings, why it failed.

import type { NodeTrace } from "../session/trying";
import { useWork } from "../work";

export type NodeRunState = "running" | "done" | "failed";

export function stateOf(node: NodeTrace): NodeRunState {
  if (node.error) return "failed";
  return typeof node.duration_ms === "number" ? "done" : "running";
}

/** How far the last run has come with each node, by its id; the last of several times counts. */
export function progressOf(nodes: NodeTrace[]): Map<string, NodeRunState> {
  return new Map(nodes.map((node) => [node.id, stateOf(node)]));
}

export function NodeOutcome({ node }: { node: NodeTrace }) {
  return (
    <div className="stack run-outcome">
      {node.error && <p className="error">It failed: {node.error.replaceAll("_", " ")}.</p>}
      {node.provider_errors?.map((text, index) => (
        <p key={index} className="error">
          {text}
        </p>
      ))}
      {node.warnings?.map((text, index) => (
        <p key={index} className="warning">
          {text}
        </p>
      ))}
      <Tokens node={node} />
      {node.input !== undefined && <Value title="Input" value={node.input} />}
      {node.arguments !== undefined && <Value title="Arguments" value={node.arguments} />}
      {node.result !== undefined && <Value title="Result" value={node.result} />}
    </div>
  );
}

function Tokens({ node: { prompt_tokens: prompt, completion_tokens: completion } }: { node: NodeTrace }) {
  if (prompt === undefined && completion === undefined) return null;
  return (
    <p className="muted small">
      {prompt ?? 0} tokens in, {completion ?? 0} out
    </p>
  );
}

function Value({ title, value }: { title: string; value: unknown }) {
  return (
    <div>
      <p className="muted small">{title}</p>
      <pre className="run-value">{typeof value === "string" ? value : JSON.stringify(value, null, 2)}</pre>
    </div>
  );
}

/** In a node's own panel: what it did when the flow was last tried. */
export function LastRun({ id }: { id: string }) {
  const mine = useWork().tried.filter((each) => each.id === id);
  const last = mine.at(-1);
  if (!last) return null;
  const times = mine.length > 1 ? ` It ran ${mine.length} times; this is the last.` : "";
  return (
    <details className="more" open>
      <summary>Last run</summary>
      <p className="muted small">
        {stateOf(last) === "running" ? "Running…" : `Took ${Math.round(last.duration_ms ?? 0)} ms.`}
        {times}
      </p>
      <NodeOutcome node={last} />
      <RunAlone id={id} />
    </details>
  );
}

/** What the other nodes gave stays as it was; this one runs as it is on the canvas now. */
function RunAlone({ id }: { id: string }) {
  const { alone, runAlone, isReadOnly } = useWork();
  const mine = alone?.id === id ? alone : null;
  if (isReadOnly) return null;
  return (
    <>
      <div className="row">
        <button
          type="button"
          className="button"
          aria-disabled={mine?.isRunning || undefined}
          title="On what the other nodes gave in the last run, cut where it was long"
          onClick={() => mine?.isRunning || runAlone(id)}
        >
          Run this node alone
        </button>
      </div>
      {mine?.problem && (
        <p className="notice bad" role="alert">
          {mine.problem}
        </p>
      )}
    </>
  );
}

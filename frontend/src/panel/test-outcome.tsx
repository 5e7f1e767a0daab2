// How a test went: what was expected, what the live version answers, what this one does, side by side.

import type { TriedTest } from "../server/page";

export function TestOutcome({ test }: { test: TriedTest }) {
  if (test.passed) return <p className="muted small">It passed.</p>;
  return (
    <div className="stack test-outcome">
      <p>
        <strong>{test.name}</strong>: {test.message}
      </p>
      <dl className="answers">
        <Answer title="Expected" text={JSON.stringify(test.expect, null, 2)} />
        {test.live_answer !== null && <Answer title="The live version answers" text={test.live_answer} />}
        {test.answer !== null && <Answer title="This one answers" text={test.answer} />}
      </dl>
    </div>
  );
}

function Answer({ title, text }: { title: string; text: string }) {
  return (
    <div>
      <dt className="muted small">{title}</dt>
      <dd className="run-value">{text || "(empty)"}</dd>
    </div>
  );
}

// The tests of the flow: each a call and what its answer must be like.

import type { Finding } from "../checks/findings";
import { at, type Json, type JsonObject, objectOf, put, textOf } from "../document/json";
import { callOf, partsOf, testOf, withCall } from "../document/tests";
import { AnyField } from "../fields/any-field";
import { CheckField } from "../fields/check-field";
import { JsonField } from "../fields/json-field";
import { TextsField } from "../fields/rows";
import { TextField } from "../fields/text-field";
import type { TriedTest } from "../server/page";
import type { Testing } from "../session/testing";
import { Prose } from "../text/prose";
import { useWork } from "../work";
import { CallFields } from "./call-fields";
import { useEntries } from "./entries";
import { TestOutcome } from "./test-outcome";

const BEFORE_DEPLOY = ["config", "scaiflow_meta", "test_before_deploy"];

export function TestsPanel({ testing, findings }: { testing: Testing; findings: Finding[] }) {
  const { document, edit } = useWork();
  const { entries, add, drop, replace } = useEntries(["tests"]);
  const { outcomes, isRunning, problem, run } = testing;
  return (
    <>
      <p className="muted small">
        A test asks the flow as it is on the canvas, with your own rights, and looks at the answer. It is counted as a
        test, and no memory is read or kept.
      </p>
      <CheckField
        label="Deploy only when all tests pass"
        help="They run before each deploy from this page and by REST, and one that fails blocks it."
        value={at(document, BEFORE_DEPLOY) === true}
        onChange={(checked) => edit(put(document, BEFORE_DEPLOY, checked || undefined))}
      />
      <div className="row">
        <button
          type="button"
          className="button main"
          aria-disabled={isRunning || !entries.length || undefined}
          onClick={() => isRunning || !entries.length || run(document)}
        >
          Run all tests
        </button>
        <button type="button" className="button" onClick={() => add(testOf({ message: "hello" }, undefined, entries))}>
          Add a test
        </button>
      </div>
      <p role="status" className="muted small">
        {isRunning ? "Running…" : summary(outcomes, entries)}
      </p>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      {!entries.length && (
        <p className="muted">No test yet. Run the flow, then press “Make a test from this run”, or add one here.</p>
      )}
      {entries.map((test, index) => (
        <Test
          key={index}
          test={test}
          name={textOf(test.name) || `tests[${index}]`}
          findings={findings.filter((each) => each.path.startsWith(`tests[${index}]`))}
          testing={testing}
          change={(changed, field) => replace(index, changed, field)}
          drop={() => drop(index)}
        />
      ))}
    </>
  );
}

function summary(outcomes: Map<string, TriedTest>, entries: JsonObject[]): string {
  const known = entries.flatMap((test) => outcomes.get(textOf(test.name)) ?? []);
  const passed = known.filter((each) => each.passed).length;
  return known.length ? `${passed} of ${known.length} passed.` : "";
}

type TestProps = {
  test: JsonObject;
  name: string;
  findings: Finding[];
  testing: Testing;
  change: (test: JsonObject, field: string) => void;
  drop: () => void;
};

function Test({ test, name, findings, testing, change, drop }: TestProps) {
  const { document } = useWork();
  const outcome = testing.outcomes.get(name);
  const changed = (next: JsonObject, field: string) => {
    testing.forget(name);
    change(next, field);
  };
  return (
    <details className="more test" open={outcome?.passed === false || !hasExpectation(test) || undefined}>
      <summary>
        {name} <Badge outcome={outcome} isUnusable={findings.length > 0} />
      </summary>
      {outcome && <TestOutcome test={outcome} />}
      {findings.map((each, index) => (
        <p key={index} className="warning">
          <Prose text={each.message} />
        </p>
      ))}
      <TextField
        label="Test name"
        value={textOf(test.name)}
        onChange={(text) => changed({ ...test, name: text }, "name")}
      />
      <CallFields call={callOf(test)} onChange={(call, field) => changed(withCall(test, call), field)} />
      <Expectations expect={objectOf(test.expect)} change={(expect, field) => changed({ ...test, expect }, field)} />
      <div className="row">
        <button
          type="button"
          className="button"
          aria-disabled={testing.isRunning || undefined}
          onClick={() => testing.isRunning || testing.run(document, [name])}
        >
          Run this test
        </button>
        <button type="button" className="button quiet" onClick={drop}>
          Remove {name}
        </button>
      </div>
    </details>
  );
}

function Badge({ outcome, isUnusable }: { outcome?: TriedTest; isUnusable: boolean }) {
  if (outcome)
    return <span className={`badge ${outcome.passed ? "good" : "bad"}`}>{outcome.passed ? "passed" : "failed"}</span>;
  return isUnusable ? <span className="badge warn">not complete</span> : null;
}

function hasExpectation(test: JsonObject): boolean {
  return Object.keys(objectOf(test.expect)).length > 0;
}

type ExpectProps = { expect: JsonObject; change: (expect: JsonObject, field: string) => void };

/** Fields that are empty expect nothing. */
function Expectations({ expect, change }: ExpectProps) {
  const set = (name: string) => (value: Json | undefined) =>
    change(put(expect, [name], value === "" ? undefined : value), name);
  return (
    <fieldset className="part">
      <legend>The answer</legend>
      <AnyField label="Equals" help="The whole answer, word for word." value={expect.equals} onChange={set("equals")} />
      <TextsField
        label="Contains"
        value={partsOf(expect)}
        onChange={(texts) => change(put(expect, ["contains"], texts.length ? texts : undefined), "contains")}
      />
      <TextField
        label="Matches"
        isCode
        help="A regular expression that is found in it, such as ^Turn \d+"
        value={textOf(expect.matches)}
        onChange={set("matches")}
      />
      <TextField
        label="Condition"
        isCode
        help="CEL over response and output, such as response.size() < 100"
        value={textOf(expect.cel)}
        onChange={set("cel")}
      />
      <details className="more" open={expect.schema !== undefined || undefined}>
        <summary>JSON Schema</summary>
        <JsonField
          label="Fits the schema"
          value={expect.schema}
          onChange={(value) => set("schema")(value && Object.keys(objectOf(value)).length ? value : undefined)}
        />
      </details>
    </fieldset>
  );
}

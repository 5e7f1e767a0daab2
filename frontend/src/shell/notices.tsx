// What did not happen and what to do about it; what was left behind unsaved.

import { useEffect, useRef } from "react";
import { diff, shown } from "../document/diff";
import type { JsonObject } from "../document/json";
import type { Difference } from "../document/merge";
import type { Draft } from "../session/drafts";
import { Time } from "./time";

export type Notice = { headline: string; advice: string; problems: string[]; isAboutChecks?: boolean };
export type Clash = {
  by: string;
  at: string;
  version: string;
  theirs: JsonObject;
  base: JsonObject;
  conflicts: Difference[];
};

export function Refused({ notice, close }: { notice: Notice; close: () => void }) {
  return (
    <Alert kind="bad" token={notice}>
      <p>
        <strong>{notice.headline}</strong> {notice.advice}
      </p>
      {notice.problems.length > 0 && (
        <ul>
          {notice.problems.map((each, place) => (
            <li key={place}>{each}</li>
          ))}
        </ul>
      )}
      <button type="button" className="button quiet" onClick={close}>
        Close
      </button>
    </Alert>
  );
}

const LABELS: Record<string, string> = {
  name: "Name",
  "metadata.description": "Description",
  "config.publish_as_model": "Publish as chat model",
  "config.model_visibility_group_ids": "Visibility group IDs (comma-separated)",
  "config.scaiflow_meta.instance_mode": "Instance mode",
  "config.scaiflow_meta.entity_scope": "Entity scope",
};

export function Clashed({
  clash,
  keep,
  load,
  flowUrl,
}: {
  clash: Clash;
  keep: () => void;
  load: () => void;
  flowUrl: string;
}) {
  const changes = diff(clash.base, clash.theirs);
  return (
    <Alert kind="warn" token={clash}>
      <p>
        <strong>
          Nothing was saved: {clash.by} saved version {clash.version} on <Time at={clash.at} />, after you opened this
          page.
        </strong>{" "}
        Your changes are still here, laid over theirs.
      </p>
      {changes.length > 0 && <p className="small">They changed: {changes.map((each) => each.where).join(", ")}.</p>}
      {clash.conflicts.length > 0 && (
        <div className="scroller">
          <table>
            <caption className="unseen">Where both of you changed the same</caption>
            <thead>
              <tr>
                <th scope="col">Field</th>
                <th scope="col">Yours</th>
                <th scope="col">Theirs</th>
              </tr>
            </thead>
            <tbody>
              {clash.conflicts.map(({ path, mine, theirs }) => (
                <tr key={path.join(".")}>
                  <th scope="row">{LABELS[path.join(".")] ?? path.join(" › ")}</th>
                  <td>{value(mine)}</td>
                  <td>{value(theirs)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className="row">
        <button type="button" className="button" onClick={keep}>
          Keep mine, over version {clash.version}
        </button>
        <a
          className="button"
          href={flowUrl}
          onClick={(event) => {
            event.preventDefault();
            load();
          }}
        >
          Load theirs, drop mine
        </a>
      </div>
    </Alert>
  );
}

function value(told: Difference["mine"]): string {
  return typeof told === "string" ? told || "(empty)" : shown(told);
}

export function Left({ draft, restore, drop }: { draft: Draft; restore: () => void; drop: () => void }) {
  return (
    <section className="notice warn stack" aria-label="Unsaved draft">
      <p>
        <strong>There is a draft that was never saved</strong>, from <Time at={draft.at} />, based on version{" "}
        {draft.baseVersion}.
      </p>
      <div className="row">
        <button type="button" className="button" onClick={restore}>
          Restore the draft
        </button>
        <button type="button" className="button quiet" onClick={drop}>
          Discard it
        </button>
      </div>
    </section>
  );
}

/** Reads itself out and takes the focus, so that nobody overlooks it. */
function Alert({ kind, token, children }: { kind: "bad" | "warn"; token: unknown; children: React.ReactNode }) {
  const box = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another notice in the same box is shown anew.
  useEffect(() => {
    box.current?.focus();
    box.current?.scrollIntoView({ block: "nearest" });
  }, [token]);
  return (
    <section ref={box} className={`notice ${kind} stack`} role="alert" tabIndex={-1}>
      {children}
    </section>
  );
}

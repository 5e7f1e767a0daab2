// Earlier saves: what each one changed, and a way back to it; and the deployed versions, with roll-back.

import { useEffect, useEffectEvent, useState } from "react";
import { type Change, diff } from "../document/diff";
import type { JsonObject } from "../document/json";
import type { Api, Refusal } from "../server/api";
import type { Deployed, SavedVersion } from "../server/page";
import { Time } from "../shell/time";
import { useWork } from "../state";

type Props = {
  api: Api;
  saved: string;
  take: (version: string, document: JsonObject) => void;
  rolledBack: (message: string) => void;
  refused: (refusal: Refusal) => void;
};

export function Versions({ api, saved, take, rolledBack, refused }: Props) {
  const { isReadOnly } = useWork();
  const [rows, setRows] = useState<{ items: SavedVersion[]; total: number } | null>(null);
  const [deployed, setDeployed] = useState<Deployed[]>([]);
  const [round, again] = useState(0);
  const load = useEffectEvent(() => {
    Promise.all([api.versions(), api.deployments()]).then(([versions, deployments]) => {
      setRows(versions);
      setDeployed(deployments);
    }, refused);
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: each save and each roll-back brings other rows.
  useEffect(() => load(), [saved, round]);
  if (!rows) return <p className="muted">Loading…</p>;
  const more = () =>
    api
      .versions(50, rows.items.length)
      .then((next) => setRows({ ...next, items: [...rows.items, ...next.items] }), refused);
  const rollBack = (row: Deployed) =>
    api.rollback(row.core_version).then((message) => {
      rolledBack(message);
      again(round + 1);
    }, refused);
  return (
    <>
      <ol className="versions">
        {rows.items.map((row, place) => (
          <Version
            key={row.version}
            api={api}
            row={row}
            before={rows.items[place + 1]?.version}
            saved={saved}
            take={take}
            isReadOnly={isReadOnly}
            runs={deployed.filter((each) => each.flow_version === row.version)}
            rollBack={rollBack}
          />
        ))}
      </ol>
      {rows.items.length < rows.total && (
        <button type="button" className="button quiet" onClick={more}>
          Show earlier versions
        </button>
      )}
    </>
  );
}

type VersionProps = Pick<Props, "api" | "take" | "saved"> & {
  row: SavedVersion;
  before?: string;
  runs: Deployed[];
  rollBack: (row: Deployed) => void;
  isReadOnly: boolean;
};

function Version({ api, row, before, saved, runs, take, rollBack, isReadOnly }: VersionProps) {
  const { document } = useWork();
  const [changes, setChanges] = useState<{ title: string; list: Change[] } | null>(null);
  const [error, setError] = useState("");
  const show = async (title: string, older: string | null, newer: string | null) => {
    try {
      const [one, other] = await Promise.all([older ? api.version(older) : {}, newer ? api.version(newer) : document]);
      setChanges({ title, list: diff(one, other) });
    } catch (problem) {
      setError((problem as Error).message);
    }
  };
  const live = runs.find((each) => each.live);
  return (
    <li>
      <p className="row">
        <strong>{row.version}</strong>
        {row.version === saved && <span className="badge">Saved</span>}
        {live && <span className="badge good">Live</span>}
      </p>
      <p className="muted small">
        {row.created_by}, <Time at={row.created_at} />
      </p>
      <p className="row small">
        {before && (
          <button type="button" className="link" onClick={() => show(`Changed since ${before}`, before, row.version)}>
            What changed<span className="unseen"> in {row.version}</span>
          </button>
        )}
        <button
          type="button"
          className="link"
          onClick={() => show("Compared with what is on the canvas", row.version, null)}
        >
          Compare<span className="unseen"> {row.version}</span> with the canvas
        </button>
        {!isReadOnly && row.version !== saved && (
          <button
            type="button"
            className="link"
            onClick={() =>
              api.version(row.version).then(
                (found) => take(row.version, found),
                (problem: Error) => setError(problem.message),
              )
            }
          >
            Restore this version<span className="unseen"> {row.version}</span>
          </button>
        )}
        {!isReadOnly && !live && runs[0] && (
          <button type="button" className="link" onClick={() => rollBack(runs[0]!)}>
            Roll back to this<span className="unseen"> {row.version}</span>
          </button>
        )}
      </p>
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
      {changes && <Changes {...changes} close={() => setChanges(null)} />}
    </li>
  );
}

const MARKS = { added: "+", removed: "−", changed: "~" };

function Changes({ title, list, close }: { title: string; list: Change[]; close: () => void }) {
  return (
    <section className="changes" aria-label={title}>
      <p className="row apart small">
        <strong>{title}</strong>
        <button type="button" className="link" onClick={close}>
          Hide
        </button>
      </p>
      {list.length === 0 && <p className="muted small">Nothing differs.</p>}
      <ul>
        {list.map((change, place) => (
          <li key={place} className={change.what}>
            <p>
              <span className="mark" aria-hidden="true">
                {MARKS[change.what]}
              </span>
              <span className="unseen">{change.what}: </span>
              {change.where}
            </p>
            {change.details.map((detail, at) => (
              <p key={at} className="detail">
                <code>{detail}</code>
              </p>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}

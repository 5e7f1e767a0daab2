// One saved version: who saved it, what it changed, and the ways back to it.

import { useState } from "react";
import { type Change, diff } from "../document/diff";
import type { JsonObject } from "../document/json";
import type { Api } from "../server/api";
import type { Deployment, SavedVersion } from "../server/page";
import { Time } from "../text/time";
import { useWork } from "../work";
import { Changes } from "./changes";
import { Label } from "./version-label";

type Props = {
  api: Api;
  saved: string;
  version: SavedVersion;
  /** The number of the version before this one, where that is loaded. */
  before: string | undefined;
  /** The Core versions that were deployed from this one, newest first. */
  deployments: Deployment[];
  restore: (version: string, document: JsonObject) => void;
  rollBack: (deployment: Deployment) => void;
  /** The other versions that are loaded. */
  others: SavedVersion[];
  /** Show what is stored of the versions now. */
  reload: () => void;
};

export function Version(props: Props) {
  const { version, saved, deployments } = props;
  const { comparison, error, compare, restore, hide } = useComparison(props);
  const isLive = deployments.some((each) => each.live);
  return (
    <li>
      <p className="row">
        <strong>{titleOf(version)}</strong>
        {version.version === saved && <span className="badge">Saved</span>}
        {isLive && <span className="badge good">Live</span>}
      </p>
      <p className="muted small">
        {version.created_by}, <Time at={version.created_at} />
      </p>
      {version.note && <p className="small note">{version.note}</p>}
      <Links {...props} isLive={isLive} compare={compare} restore={restore} />
      <CompareWith version={version} others={props.others} compare={compare} />
      <Label {...props} />
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
      {comparison && <Changes {...comparison} hide={hide} />}
    </li>
  );
}

/** The number of a version, and its name if it has one. */
function titleOf({ version, name }: SavedVersion): string {
  return name ? `${version} · ${name}` : version;
}

type CompareProps = { version: SavedVersion; others: SavedVersion[]; compare: Compare };

/** Compares with any other version, the older one first. */
function CompareWith({ version, others, compare }: CompareProps) {
  if (others.length < 2) return null;
  const choose = (chosen: string) => {
    const other = others.find((each) => each.version === chosen);
    if (!other) return;
    const [older, newer] = other.created_at < version.created_at ? [other, version] : [version, other];
    compare(`From ${older.version} to ${newer.version}`, older.version, newer.version);
  };
  return (
    <select
      className="compare small"
      aria-label={`Compare ${version.version} with`}
      value=""
      onChange={(event) => choose(event.target.value)}
    >
      <option value="">Compare with…</option>
      {others.map((each) => (
        <option key={each.version} value={each.version}>
          {titleOf(each)}
        </option>
      ))}
    </select>
  );
}

type Comparison = { title: string; changes: Change[] };
type Compare = (title: string, older: string, newer?: string) => void;

function useComparison({ api, version, restore }: Props) {
  const { document } = useWork();
  const [comparison, setComparison] = useState<Comparison | null>(null);
  const [error, setError] = useState("");
  const fail = (problem: Error) => setError(problem.message);
  /** Compare an older version with a newer one, or else with what is on the canvas. */
  const compare: Compare = (title, older, newer) => {
    Promise.all([api.version(older), newer ? api.version(newer) : document])
      .then(([one, other]) => setComparison({ title, changes: diff(one, other) }))
      .catch(fail);
  };
  return {
    comparison,
    error,
    compare,
    restore: () => api.version(version.version).then((found) => restore(version.version, found), fail),
    hide: () => setComparison(null),
  };
}

type LinksProps = Omit<Props, "restore" | "others" | "reload"> & {
  isLive: boolean;
  compare: Compare;
  restore: () => void;
};

function Links({ version: { version }, before, saved, deployments, isLive, compare, restore, rollBack }: LinksProps) {
  const { isReadOnly } = useWork();
  const [newest] = deployments;
  return (
    <p className="row small">
      {before && (
        <button type="button" className="link" onClick={() => compare(`Changed since ${before}`, before, version)}>
          What changed<span className="unseen"> in {version}</span>
        </button>
      )}
      <button type="button" className="link" onClick={() => compare("Compared with what is on the canvas", version)}>
        Compare<span className="unseen"> {version}</span> with the canvas
      </button>
      {!isReadOnly && version !== saved && (
        <button type="button" className="link" onClick={restore}>
          Restore this version<span className="unseen"> {version}</span>
        </button>
      )}
      {!isReadOnly && !isLive && newest && (
        <button type="button" className="link" onClick={() => rollBack(newest)}>
          Roll back to this<span className="unseen"> {version}</span>
        </button>
      )}
    </p>
  );
}

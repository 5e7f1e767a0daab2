// The head of the page: what is saved, what is live, Save and Deploy.

import { nameIn } from "../document/save-request";
import type { Saved, Standing } from "../server/page";
import { Time } from "./time";

type Props = {
  saved: Saved;
  standing: Standing;
  isUnsaved: boolean;
  isBusy: boolean;
  isAsked: boolean;
  isReadOnly: boolean;
  forecast: string;
  save: () => void;
  deploy: () => void;
  foretell: () => void;
};

export function Head({
  saved,
  standing,
  isUnsaved,
  isBusy,
  isAsked,
  isReadOnly,
  forecast,
  save,
  deploy,
  foretell,
}: Props) {
  const isLive = standing.live === saved.version;
  const isDue = !isLive || standing.has_drifted;
  const explanation = isUnsaved
    ? "Save first: Deploy takes the saved version."
    : isLive
      ? `Version ${saved.version} is live.`
      : `Deploy makes version ${saved.version} live. ${forecast}`;
  return (
    <div className="flow-head">
      <div>
        <h1>{nameIn(saved.content)}</h1>
        <div className="row facts">
          <span className="muted small">
            Version {saved.version}, saved by {saved.by}, <Time at={saved.at} />
          </span>
          {standing.live === null ? (
            <span className="badge">Not deployed yet</span>
          ) : standing.is_behind ? (
            <span className="badge warn">Live version is behind the saved one — Deploy</span>
          ) : (
            <span className="badge good">Live</span>
          )}
        </div>
      </div>
      {!isReadOnly && (
        <div className="acts">
          <div className="row">
            <span className={`badge warn ${isUnsaved ? "" : "is-off"}`}>Unsaved changes</span>
            <button
              type="button"
              className={`button ${isUnsaved ? "main" : ""}`}
              onClick={save}
              aria-disabled={isBusy || undefined}
              aria-keyshortcuts="Control+S"
            >
              Save
            </button>
            <button
              type="button"
              className={`button ${!isUnsaved && isDue ? "main" : ""}`}
              onClick={deploy}
              onPointerEnter={foretell}
              onFocus={foretell}
              aria-disabled={isUnsaved || isBusy || undefined}
              aria-describedby="deploy-explanation"
            >
              Deploy
            </button>
          </div>
          <p id="deploy-explanation" aria-live="polite" className={isAsked && isUnsaved ? "is-asked" : undefined}>
            {explanation}
          </p>
        </div>
      )}
    </div>
  );
}

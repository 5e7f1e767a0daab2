// The head of the page: what is saved, what is live, Save and Deploy.

import { nameIn } from "../document/save-request";
import type { DeployState } from "../server/page";
import type { Session } from "../session/session";
import { Time } from "../text/time";
import { useWork } from "../work";

export function Head({ session }: { session: Session }) {
  const { isReadOnly } = useWork();
  const { saved, deployState } = session;
  return (
    <div className="flow-head">
      <div>
        <h1>{nameIn(saved.content)}</h1>
        <div className="row facts">
          <span className="muted small">
            Version {saved.version}, saved by {saved.by}, <Time at={saved.at} />
          </span>
          <LiveBadge deployState={deployState} />
          <CallLink name={deployState.published_slug} />
        </div>
      </div>
      {!isReadOnly && (
        <div className="acts">
          <div className="row">
            <span className={`badge warn ${session.isUnsaved ? "" : "is-off"}`}>Unsaved changes</span>
            <SaveButton session={session} />
            <DeployButton session={session} />
          </div>
          <Explanation session={session} />
        </div>
      )}
    </div>
  );
}

function LiveBadge({ deployState }: { deployState: DeployState }) {
  if (deployState.live === null) return <span className="badge">Not deployed yet</span>;
  if (deployState.is_behind) return <span className="badge warn">Live version is behind the saved one — Deploy</span>;
  return <span className="badge good">Live</span>;
}

/** Where the live model is called, with the requests of other programs beside it. */
function CallLink({ name }: { name: string | null }) {
  const { page } = useWork();
  if (name === null) return null;
  return <a href={`${page.urls.playground}?model=${encodeURIComponent(name)}`}>Call the live model</a>;
}

function SaveButton({ session: { isUnsaved, isBusy, save } }: { session: Session }) {
  return (
    <button
      type="button"
      className={`button ${isUnsaved ? "main" : ""}`}
      onClick={save}
      aria-disabled={isBusy || undefined}
      aria-keyshortcuts="Control+S"
    >
      Save
    </button>
  );
}

function DeployButton({ session }: { session: Session }) {
  const { saved, deployState, isUnsaved, isBusy, isDeploying, deploy, foresee } = session;
  const isDue = deployState.live !== saved.version || deployState.has_drifted;
  return (
    <button
      type="button"
      className={`button ${!isUnsaved && isDue ? "main" : ""}`}
      onClick={() => deploy()}
      onPointerEnter={foresee}
      onFocus={foresee}
      aria-disabled={isUnsaved || isBusy || undefined}
      aria-describedby="deploy-explanation"
    >
      {isDeploying ? "Deploying…" : "Deploy"}
    </button>
  );
}

/** What Deploy would do now; highlighted once somebody has pressed Deploy before saving. */
function Explanation({ session }: { session: Session }) {
  const isMarked = session.isUnsaved && session.isAskedToSave;
  return (
    <p id="deploy-explanation" aria-live="polite" className={isMarked ? "is-asked" : undefined}>
      {explain(session)}
    </p>
  );
}

function explain({ saved, deployState, isUnsaved, forecast }: Session): string {
  if (isUnsaved) return "Save first: Deploy takes the saved version.";
  if (deployState.live === saved.version) return `Version ${saved.version} is live.`;
  return `Deploy makes version ${saved.version} live. ${forecast}`;
}

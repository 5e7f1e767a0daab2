// The newest draft that was left behind in this browser, to go on with or to discard.

import type { Session } from "../session/session";
import { Time } from "../text/time";

export function DraftOffer({ drafts: { left, restore, drop } }: { drafts: Session["drafts"] }) {
  const [draft] = left;
  if (!draft) return null;
  return (
    <section className="notice warn stack" aria-label="Unsaved draft">
      <p>
        <strong>There is a draft that was never saved</strong>, from <Time at={draft.at} />, based on version{" "}
        {draft.baseVersion}.
      </p>
      <div className="row">
        <button type="button" className="button" onClick={() => restore(draft)}>
          Restore the draft
        </button>
        <button type="button" className="button quiet" onClick={() => drop(draft)}>
          Discard it
        </button>
      </div>
    </section>
  );
}

// All that the editor has to say above the canvas: refusals, clashes, drafts, and what is wrong with what is live.

import type { Notice } from "../session/notice";
import type { Session } from "../session/session";
import { useWork } from "../work";
import { Alert } from "./alert";
import { ClashNotice } from "./clash-notice";
import { DraftOffer } from "./draft-offer";

export function Notices({ session }: { session: Session }) {
  const { clash, board, drafts } = session;
  return (
    <>
      {clash && <ClashNotice clash={clash} keep={session.save} load={session.loadTheirs} />}
      {board.notice && <RefusalNotice notice={board.notice} close={board.close} />}
      {drafts.isFailing && (
        <p className="notice warn">This browser keeps no drafts: what is not saved is lost when the page closes.</p>
      )}
      {!clash && <DraftOffer drafts={drafts} />}
      <DeployWarning session={session} />
      <ReadOnlyNotice />
    </>
  );
}

function RefusalNotice({ notice, close }: { notice: Notice; close: () => void }) {
  return (
    <Alert kind="bad" about={notice}>
      <p>
        <strong>{notice.headline}</strong> {notice.advice}
      </p>
      {notice.problems.length > 0 && (
        <ul>
          {notice.problems.map((each, index) => (
            <li key={index}>{each}</li>
          ))}
        </ul>
      )}
      <button type="button" className="button quiet" onClick={close}>
        Close
      </button>
    </Alert>
  );
}

function DeployWarning({ session: { deployState } }: { session: Session }) {
  const { lost_groups: lost, has_drifted: hasDrifted } = deployState;
  if (lost.length)
    return (
      <p className="notice warn">
        The saved groups {lost.join(", ")} do not exist (any more). Deploy will refuse until that is fixed.
      </p>
    );
  if (!hasDrifted) return null;
  return (
    <p className="notice warn">
      Who can call this was changed outside this page, by the API or because a group was deleted. Deploy brings it back
      in line with what is saved.
    </p>
  );
}

function ReadOnlyNotice() {
  const { page, isReadOnly } = useWork();
  if (!isReadOnly) return null;
  return (
    <p className="notice">
      Only tenant admins of {page.tenant_name} may change, save and deploy this flow
      {page.admins.length ? `: ${page.admins.join(", ")}` : ""}.
    </p>
  );
}

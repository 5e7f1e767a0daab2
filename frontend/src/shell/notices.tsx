// All that the editor has to say above the canvas: refusals, clashes, drafts, and what is wrong with what is live.

import { TestOutcome } from "../panel/test-outcome";
import type { Notice } from "../session/notice";
import type { Session } from "../session/session";
import { useWork } from "../work";
import { Alert } from "./alert";
import { ClashNotice } from "./clash-notice";
import { DraftOffer } from "./draft-offer";

export function Notices({ session }: { session: Session }) {
  const { page } = useWork();
  const { clash, board, drafts, deployState } = session;
  return (
    <>
      {clash && <ClashNotice clash={clash} keep={session.save} load={session.loadTheirs} />}
      {board.notice && <RefusalNotice notice={board.notice} close={board.close} />}
      {drafts.isFailing && (
        <p className="notice warn">This browser keeps no drafts: what is not saved is lost when the page closes.</p>
      )}
      {!clash && <DraftOffer drafts={drafts} />}
      {deployState.warning && <p className="notice warn">{deployState.warning}</p>}
      {page.note && <p className="notice">{page.note}</p>}
    </>
  );
}

function RefusalNotice({ notice, close }: { notice: Notice; close: () => void }) {
  return (
    <Alert kind="bad" about={notice}>
      <p>
        <strong>{notice.headline}</strong> {notice.advice}
        {notice.code === "signed_out" && (
          <>
            {" "}
            <a href="/login/" target="_blank" rel="noopener">
              Sign in
            </a>
          </>
        )}
      </p>
      {notice.problems.length > 0 && (
        <ul>
          {notice.problems.map((each, index) => (
            <li key={index}>{each}</li>
          ))}
        </ul>
      )}
      {notice.tests?.map((test, index) => (
        <TestOutcome key={index} test={test} />
      ))}
      <button type="button" className="button quiet" onClick={close}>
        Close
      </button>
    </Alert>
  );
}

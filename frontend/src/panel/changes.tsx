// What differs between two documents, as a list to read.

import type { Change } from "../document/diff";

const MARKS = { added: "+", removed: "−", changed: "~" };

export function Changes({ title, changes, hide }: { title: string; changes: Change[]; hide: () => void }) {
  return (
    <section className="changes" aria-label={title}>
      <p className="row apart small">
        <strong>{title}</strong>
        <button type="button" className="link" onClick={hide}>
          Hide
        </button>
      </p>
      {changes.length === 0 && <p className="muted small">Nothing differs.</p>}
      <ul>
        {changes.map((change, index) => (
          <ChangeItem key={index} change={change} />
        ))}
      </ul>
    </section>
  );
}

function ChangeItem({ change: { what, where, details } }: { change: Change }) {
  return (
    <li className={what}>
      <p>
        <span className="mark" aria-hidden="true">
          {MARKS[what]}
        </span>
        <span className="unseen">{what}: </span>
        {where}
      </p>
      {details.map((detail, index) => (
        <p key={index} className="detail">
          <code>{detail}</code>
        </p>
      ))}
    </li>
  );
}

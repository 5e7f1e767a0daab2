// What is asked before a deploy that opens access or leaves memory behind.

import { useEffect, useRef } from "react";

export function Question({
  questions,
  agree,
  decline,
}: {
  questions: string[];
  agree: () => void;
  decline: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      className="question"
      aria-labelledby="question-title"
      onClose={decline}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <h2 id="question-title">Before this goes live</h2>
      {questions.map((each) => (
        <p key={each}>{each}</p>
      ))}
      <div className="row">
        <button type="button" className="button main" onClick={agree}>
          Make it live all the same
        </button>
        <button type="button" className="button" onClick={decline}>
          Leave things as they are
        </button>
      </div>
    </dialog>
  );
}

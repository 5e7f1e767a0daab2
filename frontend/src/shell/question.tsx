// What is asked before something goes live that opens access or leaves memory behind.

import { useEffect, useRef } from "react";
import type { Session } from "../session/session";

export function Question({ session: { questions, deploy, decline } }: { session: Session }) {
  return questions && <QuestionDialog questions={questions} agree={() => deploy(true)} decline={decline} />;
}

type Props = { questions: string[]; yes?: string; agree: () => void; decline: () => void };

export function QuestionDialog({ questions, yes = "Make it live all the same", agree, decline }: Props) {
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
          {yes}
        </button>
        <button type="button" className="button" onClick={decline}>
          Leave things as they are
        </button>
      </div>
    </dialog>
  );
}

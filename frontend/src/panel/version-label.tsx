// The name and the note of a saved version, which people give it to find it again.

import { type FormEvent, useState } from "react";
import { TextField } from "../fields/text-field";
import type { Api } from "../server/api";
import type { SavedVersion } from "../server/page";
import { useWork } from "../work";

type Props = { api: Api; version: SavedVersion; reload: () => void };

export function Label({ api, version, reload }: Props) {
  const { isReadOnly } = useWork();
  const [isOpen, setOpen] = useState(false);
  if (isReadOnly) return null;
  if (!isOpen)
    return (
      <p className="small">
        <button type="button" className="link" onClick={() => setOpen(true)}>
          {version.name || version.note ? "Change name and note" : "Name it"}
          <span className="unseen"> of {version.version}</span>
        </button>
      </p>
    );
  const close = () => setOpen(false);
  return (
    <LabelForm
      api={api}
      version={version}
      close={close}
      stored={() => {
        close();
        reload();
      }}
    />
  );
}

type FormProps = { api: Api; version: SavedVersion; close: () => void; stored: () => void };

function LabelForm({ api, version, close, stored }: FormProps) {
  const [name, setName] = useState(version.name);
  const [note, setNote] = useState(version.note);
  const [error, setError] = useState("");
  const store = (event: FormEvent) => {
    event.preventDefault();
    api.label(version.version, { name, note }).then(stored, (problem: Error) => setError(problem.message));
  };
  return (
    <form className="stack" onSubmit={store} aria-label={`Name of ${version.version}`}>
      <TextField label="Version name" help="For example: before the move." value={name} onChange={setName} />
      <TextField label="Version note" isLong value={note} onChange={setNote} />
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
      <div className="row">
        <button type="submit" className="button quiet">
          Keep
        </button>
        <button type="button" className="button quiet" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}

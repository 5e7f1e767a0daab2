// The list of keys: `?` opens it.

import { useEffect, useRef } from "react";

const SHORTCUTS: [keys: string, what: string][] = [
  ["/ or Ctrl+F", "Find a node"],
  ["Ctrl+S", "Save"],
  ["Ctrl+Z, Ctrl+Y", "Undo, redo"],
  ["Tab", "Go from node to node, and to the edges"],
  ["Enter", "Show the node or edge in the panel"],
  ["Escape", "Select nothing; close the panel, the search, a menu"],
  ["Arrow keys", "Move the selected nodes; with Shift in larger steps"],
  ["Shift+click, Shift+drag", "Select several"],
  ["Ctrl+A", "Select all, with the focus on the canvas"],
  ["Ctrl+C, Ctrl+V", "Copy the selected nodes, paste"],
  ["Ctrl+D", "Duplicate the selected nodes"],
  ["Delete", "Delete what is selected"],
  ["Shift+F10", "Menu of the node, the edge or the canvas"],
  ["?", "This list"],
];

export function Shortcuts({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      className="question"
      aria-labelledby="shortcuts-title"
      onClose={close}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <h2 id="shortcuts-title">Keys on the canvas</h2>
      <dl className="shortcuts">
        {SHORTCUTS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="muted small">On a Mac, ⌘ stands for Ctrl.</p>
      <button type="button" className="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}

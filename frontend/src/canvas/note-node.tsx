// A note as it is drawn: text for those who draw, moved by its grip.

import type { Node, NodeProps } from "@xyflow/react";
import { type KeyboardEvent, memo } from "react";
import { changeNote, keyOf, type Note, notesOf, removeNote } from "../document/canvas-notes";
import type { JsonObject } from "../document/json";
import { useWork } from "../work";
import type { Size } from "./drawn-nodes";

const STEP = 20;
const LETTERS_IN_LINE = 26;

export type NoteNodeType = Node<{ note: Note }, "note">;

/** The document's notes as xyflow draws them: behind the nodes, and no part of a selection. */
export function drawNotes(document: JsonObject, sizes: Map<string, Size>): NoteNodeType[] {
  return notesOf(document).map((note) => ({
    id: keyOf(note),
    type: "note",
    position: note.place,
    measured: sizes.get(keyOf(note)),
    selectable: false,
    connectable: false,
    focusable: false,
    zIndex: -1,
    data: { note },
  }));
}

export const NoteNode = memo(function NoteNode({ data: { note } }: NodeProps<NoteNodeType>) {
  const { document, edit, isReadOnly } = useWork();
  const name = note.text.split("\n")[0]!.slice(0, 40) || "empty";
  return (
    <section className="note" aria-label={`Note: ${name}`}>
      {!isReadOnly && <NoteTools note={note} />}
      <textarea
        className="nodrag nowheel nopan"
        aria-label="Text of the note"
        placeholder="A note for those who draw"
        readOnly={isReadOnly}
        rows={rowsFor(note.text)}
        value={note.text}
        onKeyDown={(event) => event.stopPropagation()}
        onChange={(event) => edit(changeNote(document, note.id, { text: event.target.value }), `note ${note.id}`)}
      />
    </section>
  );
});

function NoteTools({ note: { id, place } }: { note: Note }) {
  const { document, edit } = useWork();
  const move = (event: KeyboardEvent) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const position = { x: place.x + step[0]! * STEP, y: place.y + step[1]! * STEP };
    edit(changeNote(document, id, { position }), `move ${id}`);
  };
  return (
    <div className="note-tools">
      <button type="button" className="note-grip" aria-label="Move the note, with the arrow keys" onKeyDown={move}>
        ⠿
      </button>
      <button
        type="button"
        className="nodrag"
        aria-label="Delete the note"
        onClick={() => edit(removeNote(document, id))}
      >
        ✕
      </button>
    </div>
  );
}

/** Enough lines for the text. */
function rowsFor(text: string): number {
  const lines = text.split("\n").map((line) => Math.max(1, Math.ceil(line.length / LETTERS_IN_LINE)));
  return Math.max(
    2,
    lines.reduce((sum, each) => sum + each, 0),
  );
}

// Notes on the canvas, kept in `metadata.canvas.notes`: for those who draw, no run reads them.

import { at, isObject, type JsonObject, listOf, objectOf, put, textOf } from "./json";
import { unusedName } from "./names";
import { type Place, placeOf } from "./parts";

export type Note = { id: string; index: number; text: string; place: Place };

const NOTES = ["metadata", "canvas", "notes"];

export function notesOf(document: JsonObject): Note[] {
  return rawNotes(document).flatMap((raw, index) => {
    const id = textOf(objectOf(raw).id);
    if (!id) return [];
    const place = placeOf(objectOf(raw).position) ?? { x: 0, y: 0 };
    return [{ id, index, text: textOf(objectOf(raw).text), place }];
  });
}

export function addNote(document: JsonObject, { x, y }: Place): JsonObject {
  const id = unusedName("note", new Set(notesOf(document).map((note) => note.id)));
  const note = { id, text: "", position: { x: Math.round(x), y: Math.round(y) } };
  return put(document, NOTES, [...rawNotes(document), note]);
}

/** What a note is called among the parts of the canvas. */
export function keyOf(note: Pick<Note, "id">): string {
  return `note ${note.id}`;
}

/** Move those notes that `places` names by their keys. */
export function moveNotes(document: JsonObject, places: Map<string, Place>): JsonObject {
  return notesOf(document).reduce((changed, note) => {
    const place = places.get(keyOf(note));
    return place
      ? changeNote(changed, note.id, { position: { x: Math.round(place.x), y: Math.round(place.y) } })
      : changed;
  }, document);
}

export function changeNote(document: JsonObject, id: string, change: JsonObject): JsonObject {
  const notes = rawNotes(document).map((raw) => (isObject(raw) && raw.id === id ? { ...raw, ...change } : raw));
  return put(document, NOTES, notes);
}

export function removeNote(document: JsonObject, id: string): JsonObject {
  const left = rawNotes(document).filter((raw) => objectOf(raw).id !== id);
  return put(document, NOTES, left.length ? left : undefined);
}

function rawNotes(document: JsonObject) {
  return listOf(at(document, NOTES));
}

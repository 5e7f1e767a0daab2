// A list inside the document whose entries are edited in place.

import { at, type Json, type JsonObject, listOf, objectOf, put } from "../document/json";
import { useWork } from "../work";

export function useEntries(path: string[]) {
  const { document, edit } = useWork();
  const entries = listOf(at(document, path));
  const set = (list: Json[], tag?: string) => edit(put(document, path, list), tag);
  return {
    entries: entries.map(objectOf),
    add: (entry: JsonObject) => set([...entries, entry]),
    drop: (index: number) => set(entries.filter((_, each) => each !== index)),
    /** Put another entry in its place; going on typing in the same field is one step to undo. */
    replace: (index: number, entry: JsonObject, field: string) =>
      set(
        entries.map((each, at) => (at === index ? entry : each)),
        `${path.join(".")}.${index}.${field}`,
      ),
    change: (index: number, key: string, value: Json | undefined) => {
      const changed = entries.map((entry, each) => (each === index ? put(objectOf(entry), [key], value) : entry));
      set(changed, `${path.join(".")}.${index}.${key}`);
    },
  };
}

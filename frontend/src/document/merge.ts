// Two people changed the same document: what only one of them changed is taken from that one, and where both did,
// mine stays and is named.

import { equal, isObject, type Json, type JsonObject, textOf } from "./json";

export type Difference = { path: string[]; mine: Json | undefined; theirs: Json | undefined };
export type Merged = { document: JsonObject; conflicts: Difference[] };

export function merge(base: JsonObject, mine: JsonObject, theirs: JsonObject): Merged {
  const conflicts: Difference[] = [];
  const document = both(base, mine, theirs, [], conflicts) as JsonObject;
  return { document, conflicts };
}

type Maybe = Json | undefined;

function both(base: Maybe, mine: Maybe, theirs: Maybe, path: string[], conflicts: Difference[]): Maybe {
  if (equal(mine, theirs) || equal(base, theirs)) return mine;
  if (equal(base, mine)) return theirs;
  if (isObject(mine) && isObject(theirs)) return objects(isObject(base) ? base : {}, mine, theirs, path, conflicts);
  const lists = [base ?? [], mine, theirs].map(named);
  if (lists[0] && lists[1] && lists[2]) return entries(lists[0], lists[1], lists[2], path, conflicts);
  conflicts.push({ path, mine, theirs });
  return mine;
}

function objects(
  base: JsonObject,
  mine: JsonObject,
  theirs: JsonObject,
  path: string[],
  conflicts: Difference[],
): JsonObject {
  const merged: JsonObject = {};
  for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    const value = both(base[key], mine[key], theirs[key], [...path, key], conflicts);
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}

function entries(
  base: Map<string, Json>,
  mine: Map<string, Json>,
  theirs: Map<string, Json>,
  path: string[],
  conflicts: Difference[],
): Json[] {
  return [...new Set([...mine.keys(), ...theirs.keys()])].flatMap((name) => {
    const value = both(base.get(name), mine.get(name), theirs.get(name), [...path, name], conflicts);
    return value === undefined ? [] : [value];
  });
}

/** The entries of a list by their id, name or role; null for a list whose entries have none, or have one twice. */
export function named(list: Maybe): Map<string, Json> | null {
  if (!Array.isArray(list)) return null;
  const found = new Map<string, Json>();
  for (const entry of list) {
    const name = isObject(entry) ? textOf(entry.id) || textOf(entry.name) || textOf(entry.role) : "";
    if (!name || found.has(name)) return null;
    found.set(name, entry);
  }
  return found;
}

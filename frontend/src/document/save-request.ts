// What a save sends: the parts that differ from what is saved, so that a rename alone makes no version.

import { at, equal, type JsonObject, textOf, without } from "./json";

// The server owns these; the description stands in the document for reading only.
function content(document: JsonObject): JsonObject {
  const rest = ["id", "name", "version"].reduce(without, document);
  const metadata = rest.metadata;
  return typeof metadata === "object" && metadata && !Array.isArray(metadata)
    ? { ...rest, metadata: without(metadata, "description") }
    : rest;
}

export function nameIn(document: JsonObject): string {
  return textOf(document.name);
}

export function descriptionIn(document: JsonObject): string {
  return textOf(at(document, ["metadata", "description"]));
}

/** The body of the save without `base_version`; null when nothing differs. */
export function change(saved: JsonObject, document: JsonObject): JsonObject | null {
  const told: JsonObject = {};
  if (nameIn(document).trim() !== nameIn(saved)) told.name = nameIn(document).trim();
  if (descriptionIn(document) !== descriptionIn(saved)) told.description = descriptionIn(document);
  if (!equal(content(saved), content(document))) told.content = document;
  return Object.keys(told).length ? told : null;
}

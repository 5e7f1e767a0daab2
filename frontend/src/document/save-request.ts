// What a save sends: only what differs from the saved version, so that a rename alone makes no new version.

import { at, equal, isObject, type JsonObject, textOf, without } from "./json";

export function nameIn(document: JsonObject): string {
  return textOf(document.name);
}

export function descriptionIn(document: JsonObject): string {
  return textOf(at(document, ["metadata", "description"]));
}

/** The body of the save without `base_version`; null when nothing differs. */
export function saveRequest(saved: JsonObject, document: JsonObject): JsonObject | null {
  const body: JsonObject = {};
  if (nameIn(document).trim() !== nameIn(saved)) body.name = nameIn(document).trim();
  if (descriptionIn(document) !== descriptionIn(saved)) body.description = descriptionIn(document);
  if (!equal(versioned(saved), versioned(document))) body.content = document;
  return Object.keys(body).length ? body : null;
}

// The id, the name and the version belong to the server, and the document repeats the description for reading only.
function versioned(document: JsonObject): JsonObject {
  const rest = ["id", "name", "version"].reduce(without, document);
  return isObject(rest.metadata) ? { ...rest, metadata: without(rest.metadata, "description") } : rest;
}

// The ids of the groups that may call, as one line of text.

import type { Json } from "./json";

/** The ids in what was typed or pasted, each once. */
export function readGroupIds(text: string, separators: RegExp): string[] {
  return [...new Set(text.split(separators).filter(Boolean))];
}

/** The text for what the document holds, even where that is no list of ids. */
export function writeGroupIds(value: Json | undefined): string {
  if (value === undefined) return "";
  const isIds = Array.isArray(value) && value.every((each) => typeof each === "string");
  return isIds ? value.join(", ") : JSON.stringify(value);
}

/** The ids that no group has; none while the groups are not known. */
export function unknownGroupIds(ids: string[], groups: { id: string }[] | null): string[] {
  return groups ? ids.filter((id) => !groups.some((group) => group.id === id)) : [];
}

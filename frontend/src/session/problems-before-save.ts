// What the editor itself knows to be wrong, before the server is asked.

import { unknownGroupIds } from "../document/group-ids";
import { at, type JsonObject, listOf } from "../document/json";
import { nameIn } from "../document/save-request";
import type { Group } from "../server/page";

const PUBLISHES = ["config", "publish_as_model"];
const GROUP_IDS = ["config", "model_visibility_group_ids"];

export type Problems = { name: string; all: string[] };

export function problemsBeforeSave(saved: JsonObject, document: JsonObject, groups: Group[] | null): Problems {
  const name = nameIn(document).trim() ? "" : "A flow needs a name.";
  return { name, all: [name, groupProblem(saved, document, groups)].filter(Boolean) };
}

/** Groups count only where a save would publish to them; a group that was lost since the last save is no news. */
function groupProblem(saved: JsonObject, document: JsonObject, groups: Group[] | null): string {
  const isSame = (path: string[]) => JSON.stringify(at(saved, path)) === JSON.stringify(at(document, path));
  if (at(document, PUBLISHES) !== true || (isSame(PUBLISHES) && isSame(GROUP_IDS))) return "";
  const ids = listOf(at(document, GROUP_IDS)).filter((id) => typeof id === "string");
  const unknown = unknownGroupIds(ids, groups);
  if (!unknown.length) return "";
  return `Visibility group IDs: ${unknown.join(", ")} ${unknown.length === 1 ? "does" : "do"} not exist.`;
}

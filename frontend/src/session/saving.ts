// Saving, and what happens when somebody else has saved meanwhile.

import { useMemo, useState } from "react";
import { toast } from "../browser/toast";
import type { JsonObject } from "../document/json";
import { type Difference, merge } from "../document/merge";
import { saveRequest } from "../document/save-request";
import type { Api } from "../server/api";
import type { Saved } from "../server/page";
import { Refusal } from "../server/request";
import type { Work } from "../work";
import type { NoticeBoard } from "./notice";
import type { SavedFlow } from "./saved-flow";

/** A save by somebody else over which mine is laid, and where both of us changed the same. */
export type Clash = {
  by: string;
  at: string;
  version: string;
  theirs: JsonObject;
  base: JsonObject;
  conflicts: Difference[];
};

type Saving = {
  api: Api;
  work: Work;
  flow: SavedFlow;
  board: NoticeBoard;
  /** The body of the next save, null when nothing differs. */
  pending: JsonObject | null;
  setClash: (clash: Clash | null) => void;
  setNameError: (error: string) => void;
};

export function useSaving(api: Api, work: Work, flow: SavedFlow, board: NoticeBoard) {
  const [clash, setClash] = useState<Clash | null>(null);
  const [nameError, setNameError] = useState("");
  const { document } = work;
  const { content } = flow.saved;
  const pending = useMemo(() => saveRequest(content, document), [content, document]);
  const saving: Saving = { api, work, flow, board, pending, setClash, setNameError };
  return { isUnsaved: pending !== null, clash, nameError, save: () => save(saving), dropClash: () => setClash(null) };
}

async function save(saving: Saving): Promise<void> {
  const { api, flow, board, pending, setClash, setNameError } = saving;
  setNameError("");
  if (!pending) return toast("Nothing has changed");
  try {
    const answer = await api.save(pending, flow.saved);
    flow.take(answer);
    if (!answer.message) return layOver(saving, flow.saved.content, answer.saved);
    setClash(null);
    toast(answer.message);
  } catch (problem) {
    if (problem instanceof Refusal) setNameError(problem.about("name"));
    board.refuse("Nothing was saved.", problem);
  }
}

/** Somebody else saved meanwhile: lay mine over theirs, and show where both changed the same. */
function layOver({ work, setClash }: Saving, base: JsonObject, { version, by, at, content: theirs }: Saved): void {
  const merged = merge(base, work.document, theirs);
  work.edit({ ...merged.document, id: theirs.id!, version: theirs.version! });
  const conflicts = merged.conflicts.filter(({ path }) => !["id", "version"].includes(path[0]!));
  const isSame = !saveRequest(theirs, merged.document);
  setClash(isSame ? null : { by, at, version, theirs, base, conflicts });
  if (isSame) toast("Somebody else saved the same meanwhile");
}

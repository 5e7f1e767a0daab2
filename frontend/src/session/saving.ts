// Saving, and what happens when somebody else has saved meanwhile.

import { useMemo, useState } from "react";
import { toast } from "../browser/toast";
import type { JsonObject } from "../document/json";
import { type Difference, merge } from "../document/merge";
import { descriptionIn, nameIn, saveRequest } from "../document/save-request";
import type { Api, FlowAnswer } from "../server/api";
import type { Group } from "../server/page";
import { Refusal } from "../server/request";
import type { Work } from "../work";
import type { NoticeBoard } from "./notice";
import { problemsBeforeSave } from "./problems-before-save";
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
  groups: Group[] | null;
  /** The body of the next save, null when nothing differs. */
  pending: JsonObject | null;
  clash: Clash | null;
  setClash: (clash: Clash | null) => void;
  setNameError: (error: string) => void;
};

const NOT_SAVED = "Nothing was saved.";

export function useSaving(api: Api, work: Work, flow: SavedFlow, board: NoticeBoard, groups: Group[] | null) {
  const [clash, setClash] = useState<Clash | null>(null);
  const [nameError, setNameError] = useState("");
  const { document } = work;
  const { content } = flow.saved;
  const pending = useMemo(() => saveRequest(content, document), [content, document]);
  const saving: Saving = { api, work, flow, board, groups, pending, clash, setClash, setNameError };
  return { isUnsaved: pending !== null, clash, nameError, save: () => save(saving), dropClash: () => setClash(null) };
}

async function save(saving: Saving): Promise<void> {
  const { work, flow, board, groups, pending, clash, setNameError } = saving;
  if (!pending) return toast("Nothing has changed");
  const { name, all } = problemsBeforeSave(flow.saved.content, work.document, groups);
  setNameError(name);
  if (!all.length) return send(saving, pending, clash ? clash.theirs : flow.saved.content);
  board.show({ headline: NOT_SAVED, advice: "What you typed is still here. Look at what is marked.", problems: all });
}

async function send(saving: Saving, body: JsonObject, base: JsonObject): Promise<void> {
  const { api, flow, board } = saving;
  const { version } = flow.saved;
  try {
    // The server refuses an old version by itself, but a rename by somebody else makes no new version.
    const now = await api.read();
    if (now.version !== version || isOverwritten(body, base, now)) return await reconcile(saving, base, now);
    await take(saving, await api.save({ ...body, base_version: version }));
  } catch (problem) {
    if (!(problem instanceof Refusal) || problem.code !== "stale_save") return board.refuse(NOT_SAVED, problem);
    await api.read().then(
      (now) => reconcile(saving, base, now),
      (again) => board.refuse(NOT_SAVED, again),
    );
  }
}

/** Whether the save would take back a name or a description that somebody else has given since. */
function isOverwritten(body: JsonObject, base: JsonObject, now: FlowAnswer): boolean {
  return (
    ("name" in body && now.name !== nameIn(base)) || ("description" in body && now.description !== descriptionIn(base))
  );
}

async function take({ flow, setClash }: Saving, { version, updated_at: at, content }: FlowAnswer): Promise<void> {
  setClash(null);
  flow.setSaved({ version, by: "you", at, content });
  await flow.refresh();
  toast(version === flow.saved.version ? "Saved" : `Saved version ${version}`);
}

/** Somebody else saved meanwhile: lay mine over theirs, and show where both changed the same. */
async function reconcile({ api, work, flow, setClash }: Saving, base: JsonObject, now: FlowAnswer): Promise<void> {
  const { version, updated_at: at, content: theirs } = now;
  const newest = await api.versions(1).catch(() => null);
  const by = newest?.items[0]?.created_by ?? "somebody else";
  const merged = merge(base, work.document, theirs);
  work.edit({ ...merged.document, id: theirs.id!, version: theirs.version! });
  flow.setSaved({ version, by, at, content: theirs });
  await flow.refresh();
  if (!saveRequest(theirs, merged.document)) return toast("Somebody else saved the same meanwhile");
  const conflicts = merged.conflicts.filter(({ path }) => !["id", "version"].includes(path[0]!));
  setClash({ by, at, version, theirs, base, conflicts });
}

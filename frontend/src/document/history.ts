// What was done and can be undone. Edits of the same thing in quick succession are one step.

import type { JsonObject } from "./json";

export type History = { past: JsonObject[]; present: JsonObject; future: JsonObject[]; tag: string; at: number };
export type Act =
  | { do: "edit"; document: JsonObject; tag?: string; at: number }
  | { do: "undo" }
  | { do: "redo" }
  | { do: "start"; document: JsonObject };

const MOST = 200;
const TOGETHER_MS = 1500;

export function start(document: JsonObject): History {
  return { past: [], present: document, future: [], tag: "", at: 0 };
}

export function reduce(history: History, act: Act): History {
  const { past, present, future } = history;
  if (act.do === "start") return start(act.document);
  if (act.do === "undo") {
    const before = past.at(-1);
    return before
      ? { past: past.slice(0, -1), present: before, future: [present, ...future], tag: "", at: 0 }
      : history;
  }
  if (act.do === "redo") {
    const [next, ...rest] = future;
    return next ? { past: [...past, present], present: next, future: rest, tag: "", at: 0 } : history;
  }
  if (act.document === present) return history;
  const isSameStep = !!act.tag && act.tag === history.tag && act.at - history.at < TOGETHER_MS;
  const kept = isSameStep ? past : [...past, present].slice(-MOST);
  return { past: kept, present: act.document, future: [], tag: act.tag ?? "", at: act.at };
}

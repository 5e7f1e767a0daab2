// Keys that work wherever the focus is, and those that work outside of text fields.

import { useEffect, useRef } from "react";
import { isTyping } from "../browser/focus";

type Keys = {
  save: () => void;
  undo: () => void;
  redo: () => void;
  selectAll: () => void;
  find: () => void;
  duplicate: () => void;
  showKeys: () => void;
  /** Gives the text for the clipboard; an empty one leaves it alone. */
  copy: () => string;
  paste: (text: string) => void;
};

export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    addEventListener("keydown", (event) => onKeyDown(event, latest.current), { signal });
    addEventListener("copy", (event) => onCopy(event, latest.current), { signal });
    addEventListener("paste", (event) => onPaste(event, latest.current), { signal });
    return () => listening.abort();
  }, []);
}

function onKeyDown(event: KeyboardEvent, keys: Keys): void {
  const act = event.altKey ? null : event.ctrlKey || event.metaKey ? actOf(event) : actOfCharacter(event);
  if (!act) return;
  event.preventDefault();
  keys[act]();
}

type Act = Exclude<keyof Keys, "copy" | "paste">;

/** A character alone means something only where none can be typed. */
function actOfCharacter(event: KeyboardEvent): Act | null {
  const acts: Record<string, Act> = { "/": "find", "?": "showKeys" };
  return isTyping(event.target) ? null : (acts[event.key] ?? null);
}

function actOf(event: KeyboardEvent): Act | null {
  const key = event.key.toLowerCase();
  if (key === "s") return "save";
  // Pressed once more in the search, it is the browser's own search of the page.
  if (key === "f") return isWithin(event, ".find") ? null : "find";
  // In a text field the browser's own undo and select-all are what is wanted.
  if (isTyping(event.target)) return null;
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  if (key === "y") return "redo";
  if (key === "d") return "duplicate";
  return key === "a" && isWithin(event, ".react-flow") ? "selectAll" : null;
}

function onCopy(event: ClipboardEvent, keys: Keys): void {
  if (isTyping(event.target) || !getSelection()?.isCollapsed) return;
  const text = keys.copy();
  if (!text) return;
  event.preventDefault();
  event.clipboardData?.setData("text/plain", text);
}

function onPaste(event: ClipboardEvent, keys: Keys): void {
  if (!isTyping(event.target)) keys.paste(event.clipboardData?.getData("text/plain") ?? "");
}

function isWithin(event: KeyboardEvent, selector: string): boolean {
  return event.target instanceof Element && !!event.target.closest(selector);
}

// Keys that work wherever the focus is, and those that work outside of text fields.

import { useEffect, useRef } from "react";
import { isTyping } from "../shell/focus";

type Keys = {
  save: () => void;
  undo: () => void;
  redo: () => void;
  selectAll: () => void;
  copy: () => string;
  paste: (text: string) => void;
};

export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      const act =
        key === "s"
          ? "save"
          : isTyping(event.target)
            ? null
            : key === "z"
              ? event.shiftKey
                ? "redo"
                : "undo"
              : key === "y"
                ? "redo"
                : key === "a" && isOnCanvas(event)
                  ? "selectAll"
                  : null;
      if (!act) return;
      event.preventDefault();
      current.current[act]();
    };
    const onCopy = (event: ClipboardEvent) => {
      if (isTyping(event.target) || !getSelection()?.isCollapsed) return;
      const text = current.current.copy();
      if (!text) return;
      event.preventDefault();
      event.clipboardData?.setData("text/plain", text);
    };
    const onPaste = (event: ClipboardEvent) => {
      if (isTyping(event.target)) return;
      current.current.paste(event.clipboardData?.getData("text/plain") ?? "");
    };
    addEventListener("keydown", onKey);
    addEventListener("copy", onCopy);
    addEventListener("paste", onPaste);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("copy", onCopy);
      removeEventListener("paste", onPaste);
    };
  }, []);
}

function isOnCanvas(event: KeyboardEvent): boolean {
  return event.target instanceof Element && !!event.target.closest(".react-flow");
}

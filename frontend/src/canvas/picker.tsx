// The palette where a node is wanted: at the end of an edge that was dropped on empty canvas.

import { type FocusEvent, type KeyboardEvent, useEffect, useRef } from "react";
import { focusCanvas } from "../browser/focus";
import { useInWindow } from "../browser/in-window";
import type { Place } from "../document/parts";
import { Palette } from "./palette";

type Props = { at: Place; isBehind: boolean; add: (kind: string) => void; close: () => void };

export function Picker({ at, isBehind, add, close }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector("input")?.focus(), []);
  useInWindow(box, at);
  const onBlur = ({ currentTarget, relatedTarget }: FocusEvent<HTMLElement>) => {
    if (!currentTarget.contains(relatedTarget)) close();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    close();
    focusCanvas();
  };
  return (
    <div
      ref={box}
      role="dialog"
      aria-label="Add a node here"
      className="picker"
      tabIndex={-1}
      {...{ onBlur, onKeyDown }}
    >
      <Palette
        isBehind={isBehind}
        add={(kind) => {
          close();
          add(kind);
        }}
      />
    </div>
  );
}

// The line between the canvas and what stands beside it: dragged, or moved by the arrow keys; Enter puts the pane away.

import type { KeyboardEvent, PointerEvent } from "react";
import type { PaneWidth } from "./pane-width";

const STEP = 16;

type Props = {
  /** The id of the pane whose width it is, and what that is called. */
  pane: string;
  label: string;
  /** Where the pane stands. */
  side: "left" | "right";
  width: PaneWidth;
  collapse: () => void;
};

export function Separator({ pane, label, side, width, collapse }: Props) {
  const wider = side === "left" ? 1 : -1;
  const onPointerDown = (event: PointerEvent<HTMLElement>) => event.currentTarget.setPointerCapture(event.pointerId);
  const onPointerMove = ({ currentTarget: line, pointerId, clientX }: PointerEvent<HTMLElement>) => {
    if (!line.hasPointerCapture(pointerId)) return;
    const bench = line.parentElement!.getBoundingClientRect();
    width.set(side === "left" ? clientX - bench.left : bench.right - clientX);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") collapse();
    if (event.key === "ArrowRight") width.set(width.px + wider * STEP);
    if (event.key === "ArrowLeft") width.set(width.px - wider * STEP);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule between paragraphs cannot be moved.
    <div
      role="separator"
      className={`separator ${side}`}
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={label}
      aria-controls={pane}
      aria-valuenow={width.px}
      aria-valuemin={width.least}
      aria-valuemax={width.most}
      title="Drag to resize, double-click to reset"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onDoubleClick={width.reset}
      onKeyDown={onKeyDown}
    />
  );
}

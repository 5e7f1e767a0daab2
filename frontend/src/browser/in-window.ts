// Boxes that open at a point of the window.

import { type RefObject, useLayoutEffect } from "react";
import type { Place } from "../document/parts";

const EDGE = 8;

/** Puts the box beside the point, as far as the window reaches. */
export function useInWindow(box: RefObject<HTMLElement | null>, { x, y }: Place): void {
  useLayoutEffect(() => {
    const { style, offsetWidth, offsetHeight } = box.current!;
    style.left = `${Math.max(EDGE, Math.min(x, innerWidth - offsetWidth - EDGE))}px`;
    style.top = `${Math.max(EDGE, Math.min(y, innerHeight - offsetHeight - EDGE))}px`;
  }, [box, x, y]);
}

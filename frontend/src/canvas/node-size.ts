// How large nodes are drawn, in units of the canvas.

import type { Place } from "../document/parts";

export const WIDTH = 208;
export const HEIGHT = 64;

/** The place of a node with its middle at this point. */
export function centredAt({ x, y }: Place): Place {
  return { x: x - WIDTH / 2, y: y - HEIGHT / 2 };
}

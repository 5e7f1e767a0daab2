// How much room the window has, as the style sheet's own limits say it.

/** Room for the palette beside the canvas and the panel. */
export function isWide(): boolean {
  return matchMedia("(min-width: 75rem)").matches;
}

/** No room beside the canvas: the panel is a sheet over it. */
export function isNarrow(): boolean {
  return matchMedia("(max-width: 60rem)").matches;
}

/** Room for the palette and the panel beside a canvas on which a whole flow can be read. */
export function isRoomy(): boolean {
  return matchMedia("(min-width: 90rem)").matches;
}

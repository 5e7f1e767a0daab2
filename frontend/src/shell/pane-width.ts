// How wide a pane beside the canvas is, in pixels; remembered.

import { useRemembered } from "../browser/remembered";
import type { Json } from "../document/json";

export type PaneWidth = {
  px: number;
  least: number;
  most: number;
  set: (px: number) => void;
  reset: () => void;
};
type Limits = { usual: number; least: number; most: number };

export function usePaneWidth(name: string, { usual, least, most }: Limits): PaneWidth {
  const fits = (stored: Json): stored is number => typeof stored === "number" && stored >= least && stored <= most;
  const [px, setPx] = useRemembered<number>(`${name}-width`, () => usual, fits);
  const set = (wished: number) => setPx(Math.round(Math.min(most, Math.max(least, wished))));
  return { px, least, most, set, reset: () => setPx(usual) };
}

// What the canvas keeps in the document besides nodes and edges: `metadata.canvas`.

import { at, type JsonObject, put, textOf } from "./json";

/** `rows`: from left to right, in rows like a text; `right`: in one row; `down`: from top to bottom. */
export type Direction = "rows" | "right" | "down";
export const DIRECTIONS: Record<Direction, string> = {
  rows: "In rows, left to right",
  right: "In one row, left to right",
  down: "Top to bottom",
};

const DIRECTION = ["metadata", "canvas", "direction"];

export function directionOf(document: JsonObject): Direction {
  const direction = textOf(at(document, DIRECTION));
  return direction in DIRECTIONS ? (direction as Direction) : "rows";
}

export function turn(document: JsonObject, direction: Direction): JsonObject {
  return directionOf(document) === direction ? document : put(document, DIRECTION, direction);
}

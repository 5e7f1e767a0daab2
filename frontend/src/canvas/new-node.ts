// A new node from the palette: named after its kind, where nothing is drawn yet.

import { newConfig } from "../document/config-fields";
import { newPort } from "../document/connections";
import { type JsonObject, listOf } from "../document/json";
import { unusedName } from "../document/names";
import type { NodeView, Place } from "../document/parts";
import type { Kind } from "../server/page";
import { HEIGHT, WIDTH } from "./node-size";

const STEP = 28;
const MOST_STEPS = 200;

/** Add a node of `kind` at `place`, or below it; gives the key of the new node. */
export function addNode(
  document: JsonObject,
  nodes: NodeView[],
  kind: Kind,
  place: Place,
): { document: JsonObject; key: string } {
  const stem = kind.kind.replace(/^(entry|llm|logic|data|tool)_/, "");
  const key = unusedName(stem, new Set(nodes.map((node) => node.id)));
  const isEntry = kind.category === "entry";
  const node: JsonObject = {
    id: key,
    type: kind.kind,
    label: kind.label,
    position: freePlace(place, nodes),
    config: newConfig(kind.config_schema),
    inputs: (kind.inputs ?? (isEntry ? [] : ["in"])).map(newPort),
    outputs: (kind.outputs ?? ["out"]).map(newPort),
  };
  return { document: { ...document, nodes: [...listOf(document.nodes), node] }, key };
}

/** The place, moved down until no node covers it. */
function freePlace(place: Place, nodes: NodeView[]): Place {
  let { x, y } = { x: Math.round(place.x), y: Math.round(place.y) };
  const isTaken = () =>
    nodes.some((node) => node.place && Math.abs(node.place.x - x) < WIDTH && Math.abs(node.place.y - y) < HEIGHT + 8);
  for (let steps = 0; steps < MOST_STEPS && isTaken(); steps += 1) y += STEP;
  return { x, y };
}

// A new node from the palette: named for its kind, at a free place.

import { HEIGHT, WIDTH } from "../canvas/layout";
import type { Kind } from "../server/page";
import { fresh } from "./config-fields";
import { type JsonObject, listOf } from "./json";
import { type NodeView, newPort, type Place, unused } from "./parts";

const STEP = 28;

export function newNode(
  document: JsonObject,
  nodes: NodeView[],
  kind: Kind,
  place: Place,
): { document: JsonObject; key: string } {
  const key = unused(kind.kind.replace(/^(entry|llm|logic|data|tool)_/, ""), new Set(nodes.map((node) => node.id)));
  const isEntry = kind.category === "entry";
  const node: JsonObject = {
    id: key,
    type: kind.kind,
    label: kind.label,
    position: free(place, nodes),
    config: fresh(kind.config_schema),
    inputs: (kind.inputs ?? (isEntry ? [] : ["in"])).map(newPort),
    outputs: (kind.outputs ?? ["out"]).map(newPort),
  };
  return { document: { ...document, nodes: [...listOf(document.nodes), node] }, key };
}

/** The place, moved down until nothing stands there. */
function free(place: Place, nodes: NodeView[]): Place {
  let { x, y } = { x: Math.round(place.x), y: Math.round(place.y) };
  const isTaken = () =>
    nodes.some((node) => node.place && Math.abs(node.place.x - x) < WIDTH && Math.abs(node.place.y - y) < HEIGHT + 8);
  for (let tries = 0; tries < 200 && isTaken(); tries += 1) y += STEP;
  return { x, y };
}

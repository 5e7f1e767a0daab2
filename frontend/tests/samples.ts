import type { JsonObject } from "../src/document/json";

const port = (id: string) => ({ id, label: id, type: "any" });

export const echo: JsonObject = {
  name: "Echo",
  nodes: [
    {
      id: "entry",
      type: "entry_api",
      label: "API",
      position: { x: 0, y: 0 },
      config: {},
      inputs: [],
      outputs: [port("out")],
    },
    {
      id: "reply",
      type: "llm_rigid",
      label: "Reply",
      position: { x: 240, y: 0 },
      config: { template: "{{message}}" },
      inputs: [port("in")],
      outputs: [],
    },
  ],
  edges: [
    { id: "e1", type: "sequential", source: { node: "entry", port: "out" }, target: { node: "reply", port: "in" } },
  ],
  config: { publish_as_model: true },
};

export const strange: JsonObject = {
  "x-vendor": { deep: [1, { two: null }] },
  nodes: [
    { id: "a", position: { z: 3 }, "x-note": "kept" },
    { id: "a", type: "second" },
    "no node at all",
    { type: "nameless" },
  ],
  edges: [{ source: "a" }, 5],
  config: [],
};

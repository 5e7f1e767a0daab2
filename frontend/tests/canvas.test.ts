import assert from "node:assert/strict";
import { test } from "node:test";
import { drawToolLinks } from "../src/canvas/drawn-edges";
import { drawnPorts } from "../src/canvas/ports";
import { fieldMessages, locate } from "../src/checks/findings";
import { copyNodes, readClip, shiftClip, writeClip } from "../src/document/clipboard";
import type { JsonObject } from "../src/document/json";
import { edgesOf, nodesOf, toolLinksOf } from "../src/document/parts";
import type { Diagnostic } from "../src/server/page";
import { echo } from "./samples";

test("a node has the ports that it declares, that edges use, and one to begin with", () => {
  const flow: JsonObject = {
    nodes: [
      { id: "start", type: "entry_api" },
      { id: "step", type: "llm_rigid", outputs: [{ id: "done" }] },
    ],
    edges: [{ id: "e", source: { node: "step", port: "failed" }, target: { node: "start" } }],
  };
  const ports = drawnPorts(nodesOf(flow), edgesOf(flow));
  assert.deepEqual(ports.get("step"), { inputs: ["in"], outputs: ["done", "failed"] });
  assert.deepEqual(ports.get("start"), { inputs: ["in"], outputs: ["out"] });
});

test("a node that a model calls is linked to it, whatever else its tools hold", () => {
  const flow: JsonObject = {
    nodes: [
      {
        id: "reply",
        type: "llm_flexible",
        config: { tools: [{ name: "find", node: "fetch" }, { mcp: "x" }, 7, { node: "gone" }, { node: "reply" }] },
      },
      { id: "fetch", type: "tool_http", label: "Fetch" },
      { id: "odd", type: "llm_flexible", config: { tools: "none" } },
    ],
  };
  const nodes = nodesOf(flow);
  assert.deepEqual(toolLinksOf(nodes), [{ source: "reply", target: "fetch", name: "find" }]);
  const [link] = drawToolLinks({ nodes, ports: drawnPorts(nodes, []) });
  assert.deepEqual(
    [link?.source, link?.target, link?.label, link?.ariaLabel, link?.selectable],
    ["reply", "fetch", "find", "Fetch is a tool of reply", false],
  );
});

test("copied nodes survive the way through the system's clipboard, and other text is no clip", () => {
  const clip = copyNodes(echo, new Set(["reply"]));
  assert.deepEqual(readClip(writeClip(clip)), clip);
  for (const text of ["", "hello", "scaigrid_nodes", '{"scaigrid_nodes": {"nodes": 1}}']) {
    assert.equal(readClip(text), null);
  }
});

test("a second paste lands next to the first one", () => {
  const clip = shiftClip({ nodes: [{ position: { x: 1, y: 2, z: 3 } }, { id: "a" }], edges: [] }, { x: 40, y: 40 });
  assert.deepEqual(clip.nodes, [{ position: { x: 41, y: 42, z: 3 } }, { id: "a" }]);
});

test("a finding is located by its path, or else by the id that it names", () => {
  const about = (more: Partial<Diagnostic>): Diagnostic => ({
    severity: "error",
    code: "x",
    message: "Node `reply`: too long",
    path: "",
    node_id: null,
    edge_id: null,
    ...more,
  });
  const found = [
    about({ path: "nodes[1].config.template" }),
    about({ node_id: "entry" }),
    about({ edge_id: "e1" }),
    about({ node_id: "gone" }),
    about({ path: "config.x" }),
  ];
  const located = locate(found, nodesOf(echo), edgesOf(echo));
  assert.deepEqual(
    located.map(({ node, edge }) => [node, edge]),
    [
      ["reply", null],
      ["entry", null],
      [null, "e1"],
      [null, null],
      [null, null],
    ],
  );
  const reply = nodesOf(echo)[1]!;
  assert.deepEqual(fieldMessages(located, reply, "template"), { error: "Too long", warning: "" });
  assert.deepEqual(fieldMessages(located, reply, "temp"), { error: "", warning: "" });
});

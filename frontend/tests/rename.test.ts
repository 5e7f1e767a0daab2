import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, JsonObject } from "../src/document/json";
import { edgesOf, nodesOf } from "../src/document/parts";
import { inExpression, inTemplate, rename, renameProblem } from "../src/document/rename";
import { echo } from "./samples";

test("a new id is followed by the models that call the node", () => {
  const tools: Json[] = [{ name: "find", node: "fetch" }, { mcp: "fetch", tools: ["fetch"] }, "fetch"];
  const flow: JsonObject = {
    nodes: [
      { id: "reply", type: "llm_flexible", config: { tools } },
      { id: "fetch", type: "tool_http" },
    ],
  };
  const [reply] = nodesOf(rename(flow, "fetch", "look_up"));
  assert.deepEqual(reply!.config.tools, [{ name: "find", node: "look_up" }, tools[1], "fetch"]);
});

test("a new id is followed by edges, templates and conditions", () => {
  const flow: JsonObject = {
    ...echo,
    nodes: [
      ...(echo.nodes as JsonObject[]),
      { id: "last", config: { template: "{{ reply.text }} {{replying}} \\{{reply}}", expression: "reply.size() > 1" } },
    ],
    edges: [
      ...(echo.edges as JsonObject[]),
      {
        id: "e2",
        type: "conditional",
        source: { node: "reply" },
        target: { node: "last" },
        condition: 'reply == "reply"',
      },
    ],
  };
  const renamed = rename(flow, "reply", "answer");
  assert.deepEqual(nodesOf(renamed)[2]!.config, {
    template: "{{ answer.text }} {{replying}} \\{{reply}}",
    expression: "answer.size() > 1",
  });
  assert.deepEqual(
    edgesOf(renamed).map((edge) => [edge.source, edge.target, edge.condition]),
    [
      ["entry", "answer", ""],
      ["answer", "last", 'answer == "reply"'],
    ],
  );
});

test("a name behind a dot or in a text is not the node's", () => {
  assert.equal(inExpression("state.reply + reply + 'reply'", "reply", "x"), "state.reply + x + 'reply'");
  assert.equal(inTemplate("reply {{state.reply}} {{reply}}", "reply", "x"), "reply {{state.reply}} {{x}}");
});

test("an id that is taken or empty is refused", () => {
  assert.equal(renameProblem(echo, "reply", "entry"), "Another node is called entry.");
  assert.equal(renameProblem(echo, "reply", " "), "A node needs an id.");
  assert.equal(renameProblem(echo, "reply", "reply"), "");
});

test("a name of the runtime's own is refused, and so is one that does not print", () => {
  for (const name of ["message", "state", "response", "true"])
    assert.equal(renameProblem(echo, "reply", name), `The runtime itself uses the name ${name}; take another.`);
  for (const name of ["a\nb", "a\u202eb", "a\u00a0b"])
    assert.equal(renameProblem(echo, "reply", name), "The id has characters that do not print.");
});

test("a node that took a name of the runtime gives it up alone", () => {
  const nodes = (echo.nodes as JsonObject[]).map((node) => (node.id === "entry" ? { ...node, id: "message" } : node));
  const edges = (echo.edges as JsonObject[]).map((edge) => ({ ...edge, source: { node: "message" } }));
  const renamed = rename({ ...echo, nodes, edges }, "message", "entry");
  assert.deepEqual(nodesOf(renamed)[1]!.config, nodesOf(echo)[1]!.config);
  assert.equal(edgesOf(renamed)[0]!.source, "entry");
});

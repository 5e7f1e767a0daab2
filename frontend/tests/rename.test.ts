import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../src/document/json";
import { edgesOf, nodesOf } from "../src/document/parts";
import { inExpression, inTemplate, rename, renameProblem } from "../src/document/rename";
import { echo } from "./samples";

test("a new id is followed by edges, templates and conditions", () => {
  const flow: JsonObject = {
    ...echo,
    nodes: [
      ...(echo.nodes as JsonObject[]),
      { id: "last", config: { template: "{{ reply.text }} {{replying}}", expression: "reply.size() > 1" } },
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
    template: "{{ answer.text }} {{replying}}",
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

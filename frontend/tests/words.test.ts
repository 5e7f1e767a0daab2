import assert from "node:assert/strict";
import { test } from "node:test";
import { tidy } from "../src/canvas/layout";
import { fieldsOf, newConfig } from "../src/document/config-fields";
import { diff } from "../src/document/diff";
import { reduce, start } from "../src/document/history";
import { type JsonObject, put } from "../src/document/json";
import { merge } from "../src/document/merge";
import { edgesOf, nodesOf } from "../src/document/parts";
import { inExpression, inTemplate, rename, renameProblem } from "../src/document/rename";
import { saveRequest } from "../src/document/save-request";
import { DraftStore } from "../src/session/draft-store";
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

test("what two people changed in different places is merged, and where both changed the same mine stays", () => {
  const mine = put(put(echo, ["name"], "Mine"), ["config", "publish_as_model"], false);
  const theirs = { ...put(echo, ["name"], "Theirs"), nodes: [...(echo.nodes as JsonObject[]), { id: "new" }] };
  const { document, conflicts } = merge(echo, mine, theirs);
  assert.deepEqual(
    [document.name, nodesOf(document).length, (document.config as JsonObject).publish_as_model],
    ["Mine", 3, false],
  );
  assert.deepEqual(conflicts, [{ path: ["name"], mine: "Mine", theirs: "Theirs" }]);
});

test("what one of them removed stays removed", () => {
  const theirs = { ...echo, nodes: [(echo.nodes as JsonObject[])[0]!] };
  assert.equal(nodesOf(merge(echo, put(echo, ["name"], "Mine"), theirs).document).length, 1);
});

test("a rename alone sends no content, and nothing is sent for nothing", () => {
  const saved = { ...echo, id: "flow_1", version: "1.0.0", metadata: { author: "a", description: "d" } };
  assert.equal(saveRequest(saved, structuredClone(saved)), null);
  assert.deepEqual(saveRequest(saved, put(saved, ["name"], "Other ")), { name: "Other" });
  assert.deepEqual(saveRequest(saved, put(saved, ["metadata", "description"], "")), { description: "" });
  assert.deepEqual(Object.keys(saveRequest(saved, put(saved, ["config", "x"], 1))!), ["content"]);
});

test("a diff names nodes, edges and values", () => {
  const nodes = echo.nodes as JsonObject[];
  const after = {
    ...put(echo, ["config", "publish_as_model"], false),
    nodes: [
      { ...nodes[0]!, position: { x: 9, y: 9 } },
      { ...nodes[1]!, config: { template: "Hi" } },
    ],
    edges: [],
  };
  assert.deepEqual(diff(echo, after), [
    { what: "changed", where: "config", details: ["publish_as_model: true → false"] },
    { what: "changed", where: "Node API (entry_api)", details: ["moved"] },
    { what: "changed", where: "Node Reply (llm_rigid)", details: ["template: “{{message}}” → “Hi”"] },
    { what: "removed", where: "Edge API → Reply", details: [] },
  ]);
});

test("quick edits of the same are one step back", () => {
  let history = start({ a: 0 });
  for (const [a, at] of [
    [1, 0],
    [2, 100],
    [3, 9000],
  ] as const)
    history = reduce(history, { do: "edit", document: { a }, tag: "a", at });
  assert.deepEqual(reduce(history, { do: "undo" }).present, { a: 2 });
  const back = reduce(reduce(history, { do: "undo" }), { do: "undo" });
  assert.deepEqual([back.present, reduce(back, { do: "redo" }).present], [{ a: 0 }, { a: 2 }]);
});

test("the layout gives each step a column, circles included", () => {
  const edges = [
    ["a", "b"],
    ["b", "c"],
    ["a", "c"],
    ["c", "b"],
  ].map(([source, target], place) => ({ id: `e${place}`, source: { node: source! }, target: { node: target! } }));
  const flow = { nodes: ["a", "b", "c"].map((id) => ({ id })), edges };
  const places = tidy(nodesOf(flow), edgesOf(flow));
  assert.deepEqual(
    ["a", "b", "c"].map((key) => places.get(key)!.x / places.get("b")!.x),
    [0, 1, 2],
  );
});

test("a config schema becomes fields, and a new node has what is required", () => {
  const schema = {
    $ref: "#/$defs/Kind",
    $defs: {
      Kind: {
        type: "object",
        required: ["template"],
        properties: {
          timeout_s: { anyOf: [{ type: "number" }, { type: "null" }], default: null },
          template: { type: "string" },
          style: { enum: ["if"], default: "if" },
          tags: { type: "array", items: { type: "string" } },
          names: { type: "object", additionalProperties: { type: "string" } },
          anything: {},
          on: { type: "boolean" },
        },
      },
    },
  };
  assert.deepEqual(
    fieldsOf(schema).map((field) => [field.name, field.control]),
    [
      ["template", "long"],
      ["style", "choice"],
      ["tags", "texts"],
      ["names", "pairs"],
      ["anything", "any"],
      ["on", "check"],
      ["timeout_s", "number"],
    ],
  );
  assert.deepEqual(newConfig(schema), { template: "" });
});

test("objects, words beside an object, and texts that may be numbers have fields, too", () => {
  const fallback = { type: "object", properties: { fallback: { type: "string" } }, required: ["fallback"] };
  const schema = {
    type: "object",
    properties: {
      budget: { type: "object", properties: { max_tokens: { type: "integer" } } },
      on_failure: { anyOf: [{ enum: ["fail"] }, fallback] },
      timeout: { anyOf: [{ type: "number" }, { type: "string" }, { type: "null" }] },
      expect: { type: "array", items: { type: "integer" } },
      value: { default: null },
    },
  };
  assert.deepEqual(
    fieldsOf(schema).map((field) => [field.name, field.control, field.fields.map((each) => each.name)]),
    [
      ["budget", "group", ["max_tokens"]],
      ["on_failure", "either", ["fallback"]],
      ["timeout", "loose", []],
      ["expect", "json", []],
      ["value", "any", []],
    ],
  );
});

test("drafts that others left are offered, the own one is not, and a full store says so", () => {
  const kept = new Map<string, string>();
  const store = {
    get length() {
      return kept.size;
    },
    key: (place: number) => [...kept.keys()][place] ?? null,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
    clear: () => kept.clear(),
  } as Storage;
  const [mine, other] = [new DraftStore("u", "f", () => store), new DraftStore("u", "f", () => store)];
  assert.ok(other.keep({ baseVersion: "1.0.0", base: {}, document: { a: 1 }, at: "2026-01-01" }));
  assert.deepEqual(
    mine.left().map((draft) => draft.document),
    [{ a: 1 }],
  );
  assert.deepEqual(other.left(), []);
  assert.equal(
    new DraftStore("u", "f", () => {
      throw new Error("full");
    }).keep({ baseVersion: "", base: {}, document: {}, at: "" }),
    false,
  );
});

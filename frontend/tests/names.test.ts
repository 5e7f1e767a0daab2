import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../src/document/json";
import { edgesOf, nodesOf } from "../src/document/parts";
import { namesAt } from "../src/document/scope-names";
import { added, completed, matching, wordStart } from "../src/fields/completion";

const DOCUMENT: JsonObject = {
  nodes: [
    { id: "entry", type: "entry_api", config: { inputs: [{ name: "customer" }] } },
    {
      id: "fetch",
      type: "tool_http",
      label: "Orders",
      config: { result_binding: "orders", secret_refs: { key: "k" } },
    },
    { id: "reply", type: "llm_guarded", config: {} },
    { id: "later", type: "llm_rigid", config: {} },
  ],
  edges: [
    { source: { node: "entry" }, target: { node: "fetch" } },
    { source: { node: "fetch" }, target: { node: "reply" } },
    { source: { node: "reply" }, target: { node: "later" } },
  ],
  variables: [{ name: "plan" }, { name: "" }],
};
const namesOf = (node: string, ran: { id: string; result?: unknown }[] = [], andItself = false) =>
  namesAt(DOCUMENT, nodesOf(DOCUMENT), edgesOf(DOCUMENT), node, ran, andItself);
const at = (text: string) => [text.replace("|", ""), text.indexOf("|")] as const;

test("a node reads what the call sends, the variables, and what ran before it", () => {
  const names = namesOf("reply").map((each) => each.name);
  const before = ["entry", "fetch", "orders"];
  assert.deepEqual(names, ["message", "messages", "params", "customer", "state.plan", ...before, "output"]);
  assert.ok(namesOf("fetch").some(({ name }) => name === "secrets.key"));
  assert.ok(!namesOf("fetch").some(({ name }) => name === "orders"));
  assert.ok(namesOf("fetch", [], true).some(({ name }) => name === "orders"));
});

test("what the last run showed is a sample, and its parts are names, too", () => {
  const ran = [
    { id: "entry", result: { message: "Hi" } },
    { id: "fetch", result: { status: 200, "not a name": 1 } },
  ];
  const found = new Map(namesOf("reply", ran).map((each) => [each.name, each.sample]));
  assert.equal(found.get("message"), "Hi");
  assert.equal(found.get("orders.status"), 200);
  assert.ok(![...found.keys()].some((name) => name.includes("not a name")));
});

test("a word begins where a name can stand, by the language of the field", () => {
  const start = (text: string, language: "template" | "path" | "expression") => wordStart(...at(text), language);
  assert.equal(start("Hello {{me|", "template"), 8);
  assert.equal(start("Hello {{|", "template"), 8);
  assert.equal(start("Hello me|", "template"), null);
  assert.equal(start("{{message}} me|", "template"), null);
  assert.equal(start("\\{{me|", "template"), null);
  assert.equal(start("fetch.js|", "path"), 0);
  assert.equal(start("a b|", "path"), null);
  assert.equal(start("size(me|", "expression"), 5);
  assert.equal(start("'me|", "expression"), null);
  assert.equal(start("1 < 2|", "expression"), null);
});

test("a name is put in, once with its braces", () => {
  assert.deepEqual(completed(...at("Hi {{me|"), "message", "template"), { text: "Hi {{message}}", caret: 14 });
  assert.deepEqual(completed(...at("Hi {{me|}}!"), "message", "template"), { text: "Hi {{message}}!", caret: 14 });
  assert.deepEqual(added(...at("Hi |!"), "message", "template"), { text: "Hi {{message}}!", caret: 14 });
  assert.deepEqual(added(...at("old|"), "state.plan", "path"), { text: "state.plan", caret: 10 });
  assert.deepEqual(completed(...at("si|ze"), "size", "expression"), { text: "sizeze", caret: 4 });
});

test("names that begin like the word are offered, the whole word is not", () => {
  const names = ["message", "messages", "state.plan"].map((name) => ({ name, about: "" }));
  const offered = (text: string) => matching(names, ...at(text), "template").map(({ name }) => name);
  assert.deepEqual(offered("{{mess|"), ["message", "messages"]);
  assert.deepEqual(offered("{{message|"), ["messages"]);
  assert.deepEqual(offered("{{|"), ["message", "messages", "state.plan"]);
  assert.deepEqual(offered("{{nope|"), []);
});

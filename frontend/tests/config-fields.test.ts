import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsOf, newConfig } from "../src/document/config-fields";
import type { JsonObject } from "../src/document/json";

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

test("an example is shown as it would be typed, and none where it would not help", () => {
  const example = (shape: JsonObject) => fieldsOf({ type: "object", properties: { it: shape } })[0]!.example;
  assert.equal(example({ type: "string", examples: ["{{message}}"] }), "{{message}}");
  assert.equal(example({ type: "array", items: { type: "string" }, examples: [["yes", "no"]] }), "yes · no");
  const pairs = { type: "object", additionalProperties: { type: "string" }, examples: [{ q: "x" }] };
  assert.equal(example(pairs), "q = x");
  assert.equal(example({ type: "object", properties: {}, examples: [{ a: 1 }] }), '{"a":1}');
  assert.equal(example({ type: "boolean", examples: [true] }), "");
  assert.equal(example({ type: "string" }), "");
});

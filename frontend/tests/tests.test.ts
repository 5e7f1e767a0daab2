import assert from "node:assert/strict";
import { test } from "node:test";
import { callOf, partsOf, testOf, withCall } from "../src/document/tests";

test("a test made from a run asks the same and expects what was answered", () => {
  const call = { message: "hello", state: { count: 1 } };
  assert.deepEqual(testOf(call, "2: hello", []), { name: "hello", ...call, expect: { equals: "2: hello" } });
});

test("its name is a short line that no other test has", () => {
  const others = [{ name: "two lines" }, { name: "two lines 2" }];
  assert.equal(testOf({ message: "two\nlines" }, "", others).name, "two lines 3");
  assert.equal(String(testOf({ input: { message: "x".repeat(99) } }, "", []).name).length, 61);
});

test("another call leaves the rest of a test as it was", () => {
  const made = { name: "n", note: "ours", message: "a", params: { seed: 1 }, expect: { equals: "b" } };
  assert.deepEqual(callOf(made), { message: "a", params: { seed: 1 } });
  assert.deepEqual(withCall(made, { input: {} }), { name: "n", note: "ours", expect: { equals: "b" }, input: {} });
});

test("what must stand in the answer may be one text or several", () => {
  assert.deepEqual(
    [partsOf({ contains: "a" }), partsOf({ contains: ["a", "b"] }), partsOf({})],
    [["a"], ["a", "b"], []],
  );
});

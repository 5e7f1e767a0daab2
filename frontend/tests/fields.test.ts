import assert from "node:assert/strict";
import { test } from "node:test";
import { readGroupIds, unknownGroupIds, writeGroupIds } from "../src/document/group-ids";
import { ANY_VALUE, INTEGER, JSON_OBJECT, NUMBER, TEXT_OR_NUMBER } from "../src/fields/notations";

test("any value is written so that it is read back as it was", () => {
  for (const value of ["text", "5", "true", '"quoted', "{{message}}", 5, true, null, [], { a: [1] }]) {
    assert.deepEqual(ANY_VALUE.read(ANY_VALUE.write(value)), value);
  }
});

test("an emptied field holds no value", () => {
  for (const notation of [NUMBER, INTEGER, TEXT_OR_NUMBER, ANY_VALUE]) assert.equal(notation.read(" "), undefined);
  assert.deepEqual(JSON_OBJECT.read(""), {});
});

test("what cannot be read is refused in words", () => {
  assert.throws(() => NUMBER.read("five"), { message: "This is not a number." });
  assert.throws(() => INTEGER.read("1.5"), { message: "This is not a whole number." });
  assert.throws(() => JSON_OBJECT.read("[1]"), { message: "This must be a JSON object, such as {}." });
  assert.throws(() => ANY_VALUE.read('{"a": '), { message: "This is not JSON yet; the value stays as it was." });
});

test("text that is a number is kept as one, and other text as text", () => {
  assert.deepEqual(["30", "{{state.wait}}"].map(TEXT_OR_NUMBER.read), [30, "{{state.wait}}"]);
});

test("group ids are read between the separators, each once", () => {
  const separators = /[,;\s]+/;
  assert.deepEqual(readGroupIds(" group_a, group_b;group_a\ngroup_c ", separators), ["group_a", "group_b", "group_c"]);
  assert.deepEqual(readGroupIds(" , ", separators), []);
});

test("a list of groups that holds something else is shown as it is", () => {
  assert.deepEqual([undefined, ["a", "b"], ["a", 1], "a"].map(writeGroupIds), ["", "a, b", '["a",1]', '"a"']);
});

test("no group is unknown while the groups are not loaded", () => {
  assert.deepEqual(unknownGroupIds(["a", "b"], null), []);
  assert.deepEqual(unknownGroupIds(["a", "b"], [{ id: "a" }]), ["b"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { DraftStore } from "../src/session/draft-store";

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
  assert.ok(other.keep({ baseVersion: "1.0.0", baseTime: "", base: {}, document: { a: 1 }, at: "2026-01-01" }));
  assert.deepEqual(
    mine.left().map((draft) => draft.document),
    [{ a: 1 }],
  );
  assert.deepEqual(other.left(), []);
  assert.equal(
    new DraftStore("u", "f", () => {
      throw new Error("full");
    }).keep({ baseVersion: "", baseTime: "", base: {}, document: {}, at: "" }),
    false,
  );
});

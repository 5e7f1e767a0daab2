import assert from "node:assert/strict";
import { test } from "node:test";
import { put } from "../src/document/json";
import type { Group } from "../src/server/page";
import { problemsBeforeSave } from "../src/session/problems-before-save";
import { echo } from "./samples";

const GROUPS: Group[] = [{ id: "group_a", name: "A", user_count: 1, group_count: 0 }];
const GROUP_IDS = ["config", "model_visibility_group_ids"];
const lost = put(echo, GROUP_IDS, ["group_a", "group_lost"]);

test("a flow without a name is not saved", () => {
  assert.equal(problemsBeforeSave(echo, put(echo, ["name"], "  "), GROUPS).name, "A flow needs a name.");
  assert.deepEqual(problemsBeforeSave(echo, echo, GROUPS), { name: "", all: [] });
});

test("a group that does not exist is refused when it is added", () => {
  assert.deepEqual(problemsBeforeSave(echo, lost, GROUPS).all, ["Visibility group IDs: group_lost does not exist."]);
});

test("a group that was lost since the last save keeps nobody from saving something else", () => {
  assert.deepEqual(problemsBeforeSave(lost, put(lost, ["name"], "Other"), GROUPS).all, []);
});

test("groups do not count in a flow that is not published", () => {
  assert.deepEqual(problemsBeforeSave(echo, put(lost, ["config", "publish_as_model"], false), GROUPS).all, []);
});

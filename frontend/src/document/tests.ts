// The tests that a document holds, as far as this editor knows them.

import { type Json, type JsonObject, listOf, objectOf, textOf } from "./json";

const LONGEST_NAME = 60;
/** The parts of a test that say what is asked. */
export const CALL_FIELDS = ["message", "messages", "params", "input", "entity_id", "state"];

/** A test that asks what a run was asked, and expects what it gave. */
export function testOf(call: JsonObject, answer: Json | undefined, others: JsonObject[]): JsonObject {
  const said = textOf(call.message) || textOf(objectOf(call.input).message) || "Test";
  return { name: freeName(said, others), ...call, expect: answer === undefined ? {} : { equals: answer } };
}

/** What a test asks, without what it is called and expects. */
export function callOf(test: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(test).filter(([name]) => CALL_FIELDS.includes(name)));
}

/** The test with another call; whatever else it holds is kept. */
export function withCall(test: JsonObject, call: JsonObject): JsonObject {
  const rest = Object.entries(test).filter(([name]) => !CALL_FIELDS.includes(name));
  return { ...Object.fromEntries(rest), ...call };
}

/** What must stand in the answer: a text by itself, or a list of them. */
export function partsOf(expect: JsonObject): string[] {
  return typeof expect.contains === "string" ? [expect.contains] : listOf(expect.contains).map(textOf);
}

function freeName(said: string, others: JsonObject[]): string {
  const line = said.replace(/\s+/g, " ").trim();
  const base = line.length > LONGEST_NAME ? `${line.slice(0, LONGEST_NAME)}…` : line;
  const taken = new Set(others.map((each) => textOf(each.name)));
  let name = base;
  for (let number = 2; taken.has(name); number++) name = `${base} ${number}`;
  return name;
}

// A kind's config schema, read as form fields. What no field fits is edited as JSON.

import { type Json, type JsonObject, isObject, listOf, objectOf, textOf } from "./json";

export type Field = {
  name: string;
  label: string;
  help: string;
  control: "text" | "long" | "number" | "check" | "choice" | "texts" | "pairs" | "json";
  choices: Json[];
  isRequired: boolean;
  isInteger: boolean;
  standard: Json | undefined;
};

// Texts that people write over several lines, by the words in their names.
const LONG = /template|goal|guidance|prompt|body|context|expression|condition|guard|validate|text|fallback|description/;

export function fieldsOf(schema: Json | undefined): Field[] {
  const root = objectOf(schema);
  const top = resolve(root, root);
  const required = new Set(listOf(top.required));
  const fields = Object.entries(objectOf(top.properties)).map(([name, part]) => field(name, objectOf(part), root, required.has(name)));
  // What each node may set comes after what makes this kind.
  return [...fields.filter((each) => !COMMON.has(each.name)), ...fields.filter((each) => COMMON.has(each.name))];
}

const COMMON = new Set(["result_binding", "timeout_s"]);

/** A config for a new node: nothing but what is required. */
export function fresh(schema: Json | undefined): JsonObject {
  const needed = fieldsOf(schema).filter((field) => field.isRequired);
  return Object.fromEntries(needed.flatMap((field) => (EMPTY[field.control] === undefined ? [] : [[field.name, field.choices[0] ?? EMPTY[field.control]!]])));
}

const EMPTY: Partial<Record<Field["control"], Json>> = { text: "", long: "", choice: "", texts: [], pairs: {}, check: false };

function field(name: string, part: JsonObject, root: JsonObject, isRequired: boolean): Field {
  const shape = resolve(part, root);
  const label = textOf(part.title) || textOf(shape.title && !shape.properties ? shape.title : "") || spoken(name);
  return {
    name, label, isRequired,
    help: textOf(part.description) || textOf(shape.description),
    control: control(name, shape, root),
    choices: "const" in shape ? [shape.const!] : listOf(shape.enum),
    isInteger: shape.type === "integer",
    standard: part.default ?? shape.default,
  };
}

function control(name: string, shape: JsonObject, root: JsonObject): Field["control"] {
  if (shape.enum || "const" in shape) return "choice";
  if (shape.type === "string") return LONG.test(name) ? "long" : "text";
  if (shape.type === "number" || shape.type === "integer") return "number";
  if (shape.type === "boolean") return "check";
  if (shape.type === "array" && resolve(objectOf(shape.items), root).type === "string") return "texts";
  const values = shape.type === "object" && !shape.properties ? shape.additionalProperties : undefined;
  return isObject(values) && resolve(values, root).type === "string" ? "pairs" : "json";
}

/** The schema behind references and behind “or null”. */
function resolve(part: JsonObject, root: JsonObject): JsonObject {
  const name = textOf(part.$ref).replace("#/$defs/", "");
  if (name) return resolve(objectOf(objectOf(root.$defs)[name]), root);
  const choices = listOf(part.anyOf).map(objectOf).filter((choice) => choice.type !== "null");
  if (choices.length === 1) return resolve(choices[0]!, root);
  const numbers = choices.length > 1 && choices.every((choice) => choice.type === "number" || choice.type === "integer");
  return numbers ? { type: "number" } : part;
}

/** `result_binding` → “Result binding”. */
export function spoken(name: string): string {
  const words = name.replace(/_s$/, " (seconds)").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// A kind's config schema, read as form fields. What no field fits is edited as JSON.

import { isObject, type Json, type JsonObject, listOf, objectOf, textOf } from "./json";

export type Field = {
  name: string;
  label: string;
  help: string;
  control:
    | "text"
    | "long"
    | "number"
    | "loose"
    | "check"
    | "choice"
    | "texts"
    | "pairs"
    | "group"
    | "either"
    | "any"
    | "json";
  choices: Json[];
  isRequired: boolean;
  isInteger: boolean;
  /** Those of the object that a group is, or that stands beside the choices. */
  fields: Field[];
  standard: Json | undefined;
};

// Texts that people write over several lines, by the words in their names.
const LONG = /template|goal|guidance|prompt|body|context|expression|condition|guard|validate|text|fallback|description/;

export function fieldsOf(schema: Json | undefined): Field[] {
  const root = objectOf(schema);
  const fields = inside(resolve(root, root), root);
  // What each node may set comes after what makes this kind.
  return [...fields.filter((each) => !COMMON.has(each.name)), ...fields.filter((each) => COMMON.has(each.name))];
}

const COMMON = new Set(["result_binding", "timeout_s"]);

function inside(shape: JsonObject, root: JsonObject): Field[] {
  const required = new Set(listOf(shape.required));
  return Object.entries(objectOf(shape.properties)).map(([name, part]) =>
    field(name, objectOf(part), root, required.has(name)),
  );
}

/** A config for a new node: nothing but what is required. */
export function newConfig(schema: Json | undefined): JsonObject {
  const needed = fieldsOf(schema).filter((field) => field.isRequired);
  return Object.fromEntries(
    needed.flatMap((field) =>
      EMPTY[field.control] === undefined ? [] : [[field.name, field.choices[0] ?? EMPTY[field.control]!]],
    ),
  );
}

const EMPTY: Partial<Record<Field["control"], Json>> = {
  text: "",
  long: "",
  choice: "",
  texts: [],
  pairs: {},
  check: false,
};

function field(name: string, part: JsonObject, root: JsonObject, isRequired: boolean): Field {
  const shape = resolve(part, root);
  const made = control(name, shape, root);
  const object =
    made === "either" ? alternatives(shape, root).find((each) => each.properties)! : made === "group" ? shape : {};
  const label = textOf(part.title) || textOf(shape.title && !shape.properties ? shape.title : "") || spoken(name);
  return {
    name,
    label,
    isRequired,
    help: textOf(part.description) || textOf(shape.description),
    control: made,
    choices:
      "const" in shape
        ? [shape.const!]
        : made === "either"
          ? alternatives(shape, root).flatMap((each) => listOf(each.enum))
          : listOf(shape.enum),
    fields: inside(object, root),
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
  if (shape.type === "object" && shape.properties) return "group";
  const values = shape.type === "object" ? shape.additionalProperties : undefined;
  if (isObject(values) && resolve(values, root).type === "string") return "pairs";
  const others = alternatives(shape, root);
  const types = others.map((each) => each.type);
  if (others.length > 1 && types.every((type) => type === "string" || type === "number" || type === "integer"))
    return "loose";
  if (others.length === 2 && others.some((each) => each.enum) && others.some((each) => each.properties))
    return "either";
  return Object.keys(shape).every((key) => key === "default" || key === "description" || key === "title")
    ? "any"
    : "json";
}

function alternatives(shape: JsonObject, root: JsonObject): JsonObject[] {
  return listOf(shape.anyOf)
    .map((each) => resolve(objectOf(each), root))
    .filter((each) => each.type !== "null");
}

/** The schema behind references and behind “or null”. */
function resolve(part: JsonObject, root: JsonObject): JsonObject {
  const name = textOf(part.$ref).replace("#/$defs/", "");
  if (name) return resolve(objectOf(objectOf(root.$defs)[name]), root);
  const choices = listOf(part.anyOf)
    .map(objectOf)
    .filter((choice) => choice.type !== "null");
  if (choices.length === 1) return resolve(choices[0]!, root);
  const numbers =
    choices.length > 1 && choices.every((choice) => choice.type === "number" || choice.type === "integer");
  return numbers ? { type: "number" } : part;
}

const SHORT = new Set(["llm", "url", "json", "id"]);

/** `result_binding` → “Result binding”. */
export function spoken(name: string): string {
  const words = name.replace(/_s$/, " (seconds)").replaceAll("_", " ");
  const [first = "", ...rest] = words.split(" ");
  return [SHORT.has(first) ? first.toUpperCase() : first.charAt(0).toUpperCase() + first.slice(1), ...rest].join(" ");
}

// A kind's config schema, read as form fields. What no field fits is edited as JSON.

import { isObject, type Json, type JsonObject, listOf, objectOf, textOf } from "./json";

/** With {{names}}, a path of names, or CEL. */
export type Language = "template" | "path" | "expression";
const LANGUAGES: Language[] = ["template", "path", "expression"];

export type Field = {
  name: string;
  label: string;
  help: string;
  /** A value that the field could have, as it would be typed; empty where none helps. */
  example: string;
  /** What its texts are written in, where they read names of the run. */
  language: Language | undefined;
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
  /** The fields inside: those of a group, or of the object that may be given instead of a choice. */
  fields: Field[];
  standard: Json | undefined;
};

// Texts that people write on several lines, recognised by the words in their names.
const LONG = /template|goal|guidance|prompt|body|context|expression|condition|guard|validate|text|fallback|description/;

export function fieldsOf(schema: Json | undefined): Field[] {
  const root = objectOf(schema);
  const fields = inside(resolve(root, root), root);
  // What every node may set comes after what is particular to the kind.
  return [...fields.filter((each) => !COMMON.has(each.name)), ...fields.filter((each) => COMMON.has(each.name))];
}

const COMMON = new Set(["result_binding", "timeout_s"]);

function inside(shape: JsonObject, root: JsonObject): Field[] {
  const required = new Set(listOf(shape.required));
  return Object.entries(objectOf(shape.properties)).map(([name, part]) =>
    readField(name, objectOf(part), root, required.has(name)),
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

function readField(name: string, part: JsonObject, root: JsonObject, isRequired: boolean): Field {
  const shape = resolve(part, root);
  const control = controlFor(name, shape, root);
  return {
    name,
    label: labelOf(name, part, shape),
    isRequired,
    help: textOf(part.description) || textOf(shape.description),
    example: exampleOf(part, control),
    language: LANGUAGES.find((each) => each === (part.language ?? shape.language)),
    control,
    choices: choicesIn(shape, control, root),
    fields: inside(objectIn(shape, control, root), root),
    isInteger: shape.type === "integer",
    standard: part.default ?? shape.default,
  };
}

/** The title of an object is the name of its type, which says nothing about this field. */
function labelOf(name: string, part: JsonObject, shape: JsonObject): string {
  return textOf(part.title) || (shape.properties ? "" : textOf(shape.title)) || spoken(name);
}

function exampleOf(part: JsonObject, control: Field["control"]): string {
  const [example] = listOf(part.examples);
  if (example === undefined || control === "check" || control === "choice" || control === "either") return "";
  if (control === "texts") return listOf(example).join(" · ");
  if (control === "pairs")
    return Object.entries(objectOf(example))
      .map(([name, value]) => `${name} = ${value}`)
      .join(" · ");
  return typeof example === "string" ? example : JSON.stringify(example);
}

function choicesIn(shape: JsonObject, control: Field["control"], root: JsonObject): Json[] {
  if ("const" in shape) return [shape.const!];
  if (control === "either") return alternatives(shape, root).flatMap((each) => listOf(each.enum));
  return listOf(shape.enum);
}

function objectIn(shape: JsonObject, control: Field["control"], root: JsonObject): JsonObject {
  if (control === "either") return alternatives(shape, root).find((each) => each.properties)!;
  return control === "group" ? shape : {};
}

function controlFor(name: string, shape: JsonObject, root: JsonObject): Field["control"] {
  if (shape.enum || "const" in shape) return "choice";
  switch (shape.type) {
    case "string":
      return LONG.test(name) ? "long" : "text";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "check";
    case "array":
      return isOfTexts(shape.items, root) ? "texts" : "json";
    case "object":
      if (shape.properties) return "group";
      return isOfTexts(shape.additionalProperties, root) ? "pairs" : "json";
    default:
      return controlForMany(shape, root);
  }
}

function isOfTexts(items: Json | undefined, root: JsonObject): boolean {
  return isObject(items) && resolve(items, root).type === "string";
}

/** The control for a value of more than one type. */
function controlForMany(shape: JsonObject, root: JsonObject): Field["control"] {
  const others = alternatives(shape, root);
  const isLoose = others.every(({ type }) => type === "string" || type === "number" || type === "integer");
  if (others.length > 1 && isLoose) return "loose";
  if (others.length === 2 && others.some((each) => each.enum) && others.some((each) => each.properties))
    return "either";
  return Object.keys(shape).every((key) => DESCRIBING.has(key)) ? "any" : "json";
}

/** Keys of a schema that say nothing about the type. */
const DESCRIBING = new Set(["default", "description", "examples", "language", "title"]);

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

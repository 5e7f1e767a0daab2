// How values that are no texts are typed. An empty text is no value.

import { isObject, type Json } from "../document/json";
import type { MaybeJson, Notation } from "./written-value";

export const NUMBER: Notation = { write: writeNumber, read: readNumber };
export const INTEGER: Notation = { write: writeNumber, read: readInteger };
export const TEXT_OR_NUMBER: Notation = { write: writeNumber, read: readTextOrNumber };
export const JSON_VALUE: Notation = { write: writeJson, read: readJson };
export const JSON_OBJECT: Notation = { write: writeJson, read: readObject };
export const ANY_VALUE: Notation = { write: writeAny, read: readAny };

function writeNumber(value: MaybeJson): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function readNumber(text: string): number | undefined {
  if (!text.trim()) return undefined;
  const number = Number(text);
  if (!Number.isFinite(number)) throw new Error("This is not a number.");
  return number;
}

function readInteger(text: string): number | undefined {
  const number = readNumber(text);
  if (number !== undefined && !Number.isSafeInteger(number)) throw new Error("This is not a whole number.");
  return number;
}

function readTextOrNumber(text: string): MaybeJson {
  if (!text.trim()) return undefined;
  return Number.isFinite(Number(text)) ? Number(text) : text;
}

function writeJson(value: MaybeJson): string {
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}

function readJson(text: string): MaybeJson {
  if (!text.trim()) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new Error("This is not JSON yet; the value stays as it was.");
  }
}

function readObject(text: string): Json {
  const value = readJson(text) ?? {};
  if (!isObject(value)) throw new Error("This must be a JSON object, such as {}.");
  return value;
}

function writeAny(value: MaybeJson): string {
  return typeof value === "string" && !isJson(value) && !beginsAsJson(value) ? value : writeJson(value);
}

function readAny(text: string): MaybeJson {
  return text.trim() && !isJson(text) && !beginsAsJson(text) ? text : readJson(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether the text looks like JSON that is not finished; `{{` begins a placeholder. */
function beginsAsJson(text: string): boolean {
  return /^\s*(\[|"|\{(?!\{))/.test(text);
}

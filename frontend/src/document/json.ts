// JSON as documents hold it. What a double cannot hold (an integer beyond 2^53) is kept as it was written.

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

type Source = { source?: string };
const raw = JSON as unknown as {
  rawJSON?: (text: string) => Json;
  isRawJSON?: (value: unknown) => boolean;
  parse(text: string, reviver: (this: unknown, key: string, value: Json, context?: Source) => Json): Json;
};

export function parse(text: string): Json {
  return raw.parse(text, (_key, value, context) => {
    const isTooLarge = typeof value === "number" && !Number.isSafeInteger(value) && Number.isInteger(value);
    return isTooLarge && context?.source && raw.rawJSON ? raw.rawJSON(context.source) : value;
  });
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !raw.isRawJSON?.(value);
}

export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

export function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Whether two values mean the same: the order of keys does not count. */
export function equal(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => equal(item, other[index]));
  }
  if (isObject(one) && isObject(other)) {
    const keys = Object.keys(one);
    return (
      keys.length === Object.keys(other).length &&
      keys.every((key) => Object.hasOwn(other, key) && equal(one[key], other[key]))
    );
  }
  if (raw.isRawJSON?.(one) && raw.isRawJSON?.(other)) return JSON.stringify(one) === JSON.stringify(other);
  return one === other;
}

/** A copy of `object` without `key`. */
export function without(object: JsonObject, key: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
}

/** A copy of `holder` with another value at `path`; undefined takes the key away. Everything else is kept. */
export function put(holder: JsonObject, path: string[], value: Json | undefined): JsonObject {
  const [key, ...rest] = path as [string, ...string[]];
  if (rest.length) return { ...holder, [key]: put(objectOf(holder[key]), rest, value) };
  return value === undefined ? without(holder, key) : { ...holder, [key]: value };
}

/** The value at `path`, undefined where there is none. */
export function at(holder: Json | undefined, path: string[]): Json | undefined {
  return path.reduce<Json | undefined>((part, key) => (isObject(part) ? part[key] : undefined), holder);
}

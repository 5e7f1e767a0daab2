// What differs between two documents, in lines for a person to read.

import { equal, isObject, type Json, type JsonObject, without } from "./json";
import { type EdgeView, edgesOf, type NodeView, nameOf, nodesOf } from "./parts";
import { rename } from "./rename";

export type Change = { what: "added" | "removed" | "changed"; where: string; details: string[] };

const OWNED = new Set(["id", "version"]);
const LONGEST = 80;

export function diff(before: JsonObject, after: JsonObject): Change[] {
  const renames = renamed(nodesOf(before), nodesOf(after));
  // What names the node followed it, so that the rest is compared as if it had always been called so.
  const old = renames.reduce((document, [one, other]) => rename(document, one.key, other.id), before);
  return [...top(old, after), ...renames.map(asChange), ...nodes(old, after), ...edges(old, after)];
}

/** Nodes that are gone, each with the new one that it has become: the same kind, with the same config or label. */
function renamed(before: NodeView[], after: NodeView[]): [NodeView, NodeView][] {
  const [old, now] = [byKey(before), byKey(after)];
  const added = new Set(after.filter((node) => node.id && !old.has(node.key)));
  return before
    .filter((node) => node.id && !now.has(node.key))
    .flatMap((node): [NodeView, NodeView][] => {
      const alike = [...added].filter((each) => each.type === node.type);
      const found =
        alike.find((each) => equal(each.config, node.config)) ??
        alike.find((each) => node.label && each.label === node.label);
      if (found) added.delete(found);
      return found ? [[node, found]] : [];
    });
}

function asChange([one, other]: [NodeView, NodeView]): Change {
  return { what: "changed", where: tell(other), details: [`renamed: ${one.id} → ${other.id}`] };
}

function tell(node: NodeView): string {
  return `Node ${nameOf(node)} (${node.type})`;
}

function top(before: JsonObject, after: JsonObject): Change[] {
  const rest = (document: JsonObject) => without(without(document, "nodes"), "edges");
  return keys(rest(before), rest(after))
    .filter((key) => !OWNED.has(key) && !equal(before[key], after[key]))
    .map((key) => ({ what: "changed" as const, where: key, details: values(before[key], after[key], "") }));
}

function nodes(before: JsonObject, after: JsonObject): Change[] {
  const [old, now] = [byKey(nodesOf(before)), byKey(nodesOf(after))];
  return compared(old, now, tell, (one, other) => nodeDetails(one.raw, other.raw));
}

function nodeDetails(one: JsonObject, other: JsonObject): string[] {
  return keys(one, other).flatMap((key) => {
    if (equal(one[key], other[key])) return [];
    if (key === "position") return ["moved"];
    return values(one[key], other[key], key === "config" ? "" : key);
  });
}

function edges(before: JsonObject, after: JsonObject): Change[] {
  const names = new Map([...nodesOf(before), ...nodesOf(after)].map((node) => [node.id, nameOf(node)]));
  const name = (edge: EdgeView) =>
    `Edge ${names.get(edge.source) ?? edge.source} → ${names.get(edge.target) ?? edge.target}`;
  const [old, now] = [edgesOf(before), edgesOf(after)];
  const changes = compared(byKey(old), byKey(now), name, (one, other) => values(one.raw, other.raw, ""));
  const order = (list: EdgeView[], other: EdgeView[]) =>
    list.map((edge) => edge.key).filter((key) => other.some((edge) => edge.key === key));
  if (!equal(order(old, now), order(now, old)))
    changes.push({ what: "changed", where: "Order of the edges", details: [] });
  return changes;
}

function compared<Part extends NodeView | EdgeView>(
  old: Map<string, Part>,
  now: Map<string, Part>,
  tell: (part: Part) => string,
  details: (one: Part, other: Part) => string[],
): Change[] {
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key): Change[] => {
    const [one, other] = [old.get(key), now.get(key)];
    if (!one) return [{ what: "added", where: tell(other!), details: [] }];
    if (!other) return [{ what: "removed", where: tell(one), details: [] }];
    return equal(one.raw, other.raw) ? [] : [{ what: "changed", where: tell(other), details: details(one, other) }];
  });
}

function byKey<Part extends { key: string }>(parts: Part[]): Map<string, Part> {
  return new Map(parts.map((part) => [part.key, part]));
}

/** One line for each value inside that differs. */
function values(one: Json | undefined, other: Json | undefined, path: string): string[] {
  if (isObject(one) || isObject(other)) {
    const [left, right] = [isObject(one) ? one : {}, isObject(other) ? other : {}];
    return keys(left, right).flatMap((key) =>
      equal(left[key], right[key]) ? [] : values(left[key], right[key], path ? `${path}.${key}` : key),
    );
  }
  return [`${path ? `${path}: ` : ""}${shown(one)} → ${shown(other)}`];
}

/** A value on one line. */
export function shown(value: Json | undefined): string {
  if (value === undefined) return "(nothing)";
  const text = typeof value === "string" ? `“${value}”` : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function keys(one: JsonObject, other: JsonObject): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])];
}

// Edges, templates and expressions name a node by its id; they follow when it gets another.

import { changeEntry } from "./edits";
import { isObject, type Json, type JsonObject, listOf, objectOf } from "./json";
import { isPrintable, isReserved } from "./names";
import { edgesOf, nodesOf } from "./parts";

// Config fields that hold expressions or paths rather than text with placeholders, by the words in their names.
const EXPRESSIONS = /expression|condition|guard|validate|items|bindings/;

/** Why `id` cannot be the new id, or nothing. */
export function renameProblem(document: JsonObject, key: string, id: string): string {
  if (!id.trim()) return "A node needs an id.";
  if (id.length > 200) return "An id has at most 200 characters.";
  if (isReserved(id)) return `The runtime itself uses the name ${id}; take another.`;
  if (!isPrintable(id)) return "The id has characters that do not print.";
  if (nodesOf(document).some((node) => node.key !== key && node.id === id)) return `Another node is called ${id}.`;
  return "";
}

/** Give the node another id, everywhere. */
export function rename(document: JsonObject, key: string, id: string): JsonObject {
  const node = nodesOf(document).find((each) => each.key === key);
  if (!node || node.id === id) return document;
  const before = node.id;
  let changed = changeEntry(document, "nodes", node.index, (raw) => ({ ...raw, id }));
  // Names without a node, or with two, are not this node's alone.
  if (!before || node.key !== before || nodesOf(document).filter((each) => each.id === before).length > 1)
    return changed;
  changed = { ...changed, nodes: listOf(changed.nodes).map((raw) => withTool(raw, before, id)) };
  // A text that reads such a name may mean what every run has under it, or another node's result.
  const isShared = isReserved(before) || nodesOf(document).some((each) => each.config.result_binding === before);
  if (!isShared) {
    const nodes = listOf(changed.nodes).map((raw) =>
      isObject(raw) && isObject(raw.config) ? { ...raw, config: inConfig(raw.config, before, id) as JsonObject } : raw,
    );
    changed = { ...changed, nodes };
  }
  for (const edge of edgesOf(changed)) {
    changed = changeEntry(changed, "edges", edge.index, (raw) => ({
      ...raw,
      ...(edge.source === before && { source: { ...objectOf(raw.source), node: id } }),
      ...(edge.target === before && { target: { ...objectOf(raw.target), node: id } }),
      ...(edge.condition && !isShared && { condition: inExpression(edge.condition, before, id) }),
    }));
  }
  return changed;
}

/** A node whose tools name the renamed one. */
function withTool(raw: Json, before: string, id: string): Json {
  if (!isObject(raw) || !isObject(raw.config) || !Array.isArray(raw.config.tools)) return raw;
  const tools = raw.config.tools.map((tool) => (isObject(tool) && tool.node === before ? { ...tool, node: id } : tool));
  return { ...raw, config: { ...raw.config, tools } };
}

function inConfig(value: Json, before: string, id: string, isExpression = false): Json {
  if (typeof value === "string") return isExpression ? inExpression(value, before, id) : inTemplate(value, before, id);
  if (Array.isArray(value)) return value.map((item) => inConfig(item, before, id, isExpression));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      inConfig(item, before, id, isExpression || EXPRESSIONS.test(name)),
    ]),
  );
}

/** The first name of each `{{path}}`; behind an odd number of backslashes it is no placeholder. */
export function inTemplate(text: string, before: string, id: string): string {
  return text.replace(
    /(\\*)\{\{(\s*)([^{}]*?)(\s*)\}\}/g,
    (all, slashes: string, left: string, path: string, right: string) => {
      const isMeant = slashes.length % 2 === 0 && (path === before || path.startsWith(`${before}.`));
      return isMeant ? `${slashes}{{${left}${id}${path.slice(before.length)}${right}}}` : all;
    },
  );
}

/** The name where it is a name of its own: not behind a dot, not inside a text. */
export function inExpression(source: string, before: string, id: string): string {
  return source.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(\.\s*)?[A-Za-z_][A-Za-z0-9_]*/g, (word) =>
    word === before ? id : word,
  );
}

// The names that stand in the scope of a node, as far as the document tells, each with what it is.

import { type Json, type JsonObject, listOf, objectOf, textOf } from "./json";
import type { EdgeView, NodeView } from "./parts";

/** `sample` is what it held when the flow was last tried. */
export type ScopeName = { name: string; about: string; sample?: unknown };

/** What the last run knows of a node. */
type Ran = { id: string; result?: unknown };

const GIVEN: ScopeName[] = [
  { name: "message", about: "the caller's last message" },
  { name: "messages", about: "the whole conversation" },
  { name: "params", about: "the request's sampling fields" },
];
const MOST_PARTS = 12;

/** The names at the node with this key; `andItself`: behind it, so that its own result is there, too. */
export function namesAt(
  document: JsonObject,
  nodes: NodeView[],
  edges: EdgeView[],
  key: string,
  ran: Ran[],
  andItself = false,
): ScopeName[] {
  const earlier = nodesBefore(key, edges);
  const before = nodes.filter((node) => (node.key === key ? andItself : earlier.has(node.id)));
  const self = nodes.find((node) => node.key === key && !andItself);
  const found = [
    ...inputsOf(nodes),
    ...variablesOf(document),
    ...before.flatMap((node) => madeBy(node)),
    ...(self ? insideOf(self) : []),
  ];
  const samples = samplesOf(nodes, ran);
  const unique = [...new Map(found.map((each) => [each.name, each])).values()];
  return unique.flatMap((each) => withParts({ ...each, sample: samples.get(each.name) }));
}

function nodesBefore(key: string, edges: EdgeView[]): Set<string> {
  const seen = new Set<string>();
  const waiting = [key];
  while (waiting.length) {
    const target = waiting.pop();
    for (const { source } of edges.filter((edge) => edge.target === target && !seen.has(edge.source))) {
      seen.add(source);
      waiting.push(source);
    }
  }
  return seen;
}

function inputsOf(nodes: NodeView[]): ScopeName[] {
  const declared = nodes.filter(({ type }) => type.startsWith("entry_")).flatMap(({ config }) => listOf(config.inputs));
  const own = declared.map(objectOf).map((input) => ({
    name: textOf(input.name),
    about: textOf(input.description) || "what the call sends",
  }));
  return [...GIVEN, ...own.filter(({ name }) => name)];
}

function variablesOf(document: JsonObject): ScopeName[] {
  const names = listOf(document.variables).map((each) => textOf(objectOf(each).name));
  return names.filter(Boolean).map((name) => ({ name: `state.${name}`, about: "a variable of the flow" }));
}

/** What an earlier node has put into the scope. */
function madeBy({ id, label, type, config }: NodeView): ScopeName[] {
  const about = `the result of ${label || id}`;
  const binding = textOf(config.result_binding);
  const found = [{ name: id, about }, ...(binding ? [{ name: binding, about }] : [])];
  if (type === "logic_loop") {
    found.push({ name: textOf(config.item_name) || "item", about: `the item of ${label || id}` });
    found.push({ name: textOf(config.index_name) || "index", about: `its number in ${label || id}, from 0` });
  }
  if (type === "checkpoint" || type === "hitl_decision")
    found.push({ name: "decision", about: `what was answered to ${label || id}` });
  return found;
}

/** What only the node itself reads. */
function insideOf({ type, config }: NodeView): ScopeName[] {
  if (type === "llm_guarded") return [{ name: "output", about: "the answer that is checked" }];
  const secrets = Object.keys(objectOf(config.secret_refs)).filter(Boolean);
  return secrets.map((name) => ({ name: `secrets.${name}`, about: "a secret, in headers only" }));
}

/** What the entry and the nodes gave when the flow was last tried, by the names that lead there. */
function samplesOf(nodes: NodeView[], ran: Ran[]): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const { id, result } of ran) {
    const node = nodes.find((each) => each.id === id);
    if (result === undefined || !node) continue;
    if (node.type.startsWith("entry_"))
      for (const [name, value] of Object.entries(objectOf(result))) found.set(name, value);
    found.set(id, result);
    const binding = textOf(node.config.result_binding);
    if (binding) found.set(binding, result);
  }
  return found;
}

/** The name, and those of what the last run showed inside it. */
function withParts(each: ScopeName): ScopeName[] {
  const parts = Object.entries(objectOf(each.sample)).filter(([name]) => /^\w+$/.test(name));
  return [
    each,
    ...parts.slice(0, MOST_PARTS).map(([name, sample]: [string, Json]) => ({
      name: `${each.name}.${name}`,
      about: `a part of ${each.name}`,
      sample,
    })),
  ];
}

// A run as a waterfall: a line for each node, in words, with a bar that shows when it ran and for how long.

import { made } from "./inline.js";

const SVG = "http://www.w3.org/2000/svg";
const THINNEST = 0.8; // percent: what took no time is still seen
const SHOWN = 140; // characters of a result before it is folded
const MOST = 500; // nodes that a trace holds
const OUTCOMES = { failed: "failed", timed_out: "ran out of time", cancelled: "was stopped" };

/** The trace, folded to one line unless there is something to see to. */
export function waterfall(run) {
  const total = Math.max(run.duration_ms, ...run.nodes.map((node) => node.started_ms + (node.duration_ms ?? 0)), 0.001);
  const details = made("details", [summary(run, total), axis(total), list(run.nodes, total)]);
  details.className = "trace";
  details.open = run.nodes.some((node) => node.error || node.warnings?.length);
  if (run.nodes.length >= MOST)
    details.append(words("p", "muted small", `The first ${MOST} nodes; the rest is not kept.`));
  return details;
}

function summary(run, total) {
  const count = run.nodes.length === 1 ? "1 node" : `${run.nodes.length} nodes`;
  const how = OUTCOMES[run.outcome];
  return made("summary", [
    "Run trace",
    words("span", "muted", ` · ${count} in ${ms(total)}${how ? ` · ${how}` : ""} · version ${run.core_version}`),
  ]);
}

function axis(total) {
  const line = made("p", [words("span", "", "0"), words("span", "", ms(total / 2)), words("span", "", ms(total))]);
  line.className = "axis";
  line.setAttribute("aria-hidden", "true");
  return line;
}

function list(nodes, total) {
  const rows = made(
    "ol",
    nodes.map((node) => row(node, total)),
  );
  rows.className = "plain nodes";
  rows.setAttribute("aria-label", "What each node did");
  return rows;
}

function row(node, total) {
  const name = made("span", [words("strong", "", node.id), " ", words("code", "muted", node.kind)]);
  name.className = "node";
  const item = made("li", [name, bar(node, total), times(node), ...outcome(node)]);
  item.className = state(node);
  return item;
}

function state(node) {
  if (node.error) return "failed";
  return node.duration_ms == null ? "open" : node.warnings?.length ? "warned" : "ended";
}

function bar(node, total) {
  const share = (milliseconds) => (100 * milliseconds) / total;
  const width = Math.max(share(node.duration_ms ?? total - node.started_ms), THINNEST);
  const picture = drawn("svg", { class: "bar", "aria-hidden": "true", width: "100%", height: "14" });
  picture.append(drawn("rect", { class: "track", width: "100%", height: "14", rx: "3" }));
  picture.append(
    drawn("rect", {
      class: "ran",
      x: `${Math.min(share(node.started_ms), 100 - width)}%`,
      width: `${width}%`,
      height: "14",
      rx: "3",
    }),
  );
  return picture;
}

function drawn(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function times(node) {
  const took = node.duration_ms == null ? "did not end" : ms(node.duration_ms);
  const line = made("span", [
    words("span", "took", took),
    words("span", "unseen", ", "),
    words("span", "muted", `from ${ms(node.started_ms)}`),
  ]);
  line.className = "times";
  return line;
}

function outcome(node) {
  const asked = node.call ? [words("p", "said-of", `Called with ${text(node.arguments ?? {})}`)] : [];
  const warnings = (node.warnings ?? []).map((warning) => words("p", "said-of warning", `Warning: ${warning}`));
  if (node.error) return [...asked, ...warnings, words("p", "said-of error", `Failed: ${node.error}`)];
  return node.result == null ? [...asked, ...warnings] : [...asked, ...warnings, result(text(node.result))];
}

/** What came out: all of it when it is short, else its beginning, which opens. */
function result(whole) {
  const isShort = whole.length <= SHOWN;
  const begun = made(isShort ? "p" : "summary", [
    words("span", "unseen", "Result: "),
    isShort ? whole || "(empty text)" : `${whole.slice(0, SHOWN)}…`,
  ]);
  const shown = isShort ? begun : made("details", [begun, words("pre", "", whole)]);
  shown.className = "said-of";
  if (!isShort) shown.lastChild.tabIndex = 0;
  return shown;
}

function text(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function words(name, className, said) {
  const element = made(name, [said]);
  if (className) element.className = className;
  return element;
}

function ms(milliseconds) {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return `${milliseconds >= 100 ? milliseconds.toFixed(0) : milliseconds.toFixed(milliseconds >= 10 ? 1 : 2)} ms`;
}

// Markdown as models write it, strict: no HTML, no images, no attributes but the address of a link.

import { inline, made } from "./inline.js";

const DEEPEST = 8;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])( {1,4}|$)/;
const CELLS = /^\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$/;

// What a line may begin → how many lines it takes and what they become.
const BLOCKS = [
  [(lines, at) => FENCE.test(lines[at]), fence],
  [(lines, at) => HEADING.test(lines[at]), heading],
  [(lines, at) => RULE.test(lines[at]), (_lines, at) => [made("hr", []), at + 1]],
  [(lines, at) => QUOTE.test(lines[at]), quote],
  [(lines, at) => ITEM.test(lines[at]), list],
  [
    (lines, at) =>
      lines[at].includes("|") && at + 1 < lines.length && lines[at + 1].includes("|") && CELLS.test(lines[at + 1]),
    table,
  ],
];

/** The elements that `text` stands for. */
export function render(text) {
  return blocks(text.replaceAll("\r\n", "\n").split("\n"), 0);
}

function blocks(lines, depth) {
  const found = [];
  for (let at = 0; at < lines.length; ) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const make = depth > DEEPEST ? paragraph : (begun(lines, at) ?? paragraph);
    const [element, end] = make(lines, at, depth);
    found.push(element);
    at = end;
  }
  return found;
}

function begun(lines, at) {
  return BLOCKS.find(([begins]) => begins(lines, at))?.[1];
}

function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !begun(lines, end)) end += 1;
  return [made("p", inline(lines.slice(at, end).join("\n"))), end];
}

function fence(lines, at) {
  const mark = FENCE.exec(lines[at])[1];
  let end = at + 1;
  while (end < lines.length && !isClosing(lines[end].trim(), mark)) end += 1;
  const code = made("pre", [made("code", [lines.slice(at + 1, end).join("\n")])]);
  code.tabIndex = 0; // it scrolls, so the keyboard must reach it
  return [code, end + 1];
}

function isClosing(line, mark) {
  return line.length >= mark.length && line === mark[0].repeat(line.length);
}

function heading(lines, at) {
  const [, marks, words] = HEADING.exec(lines[at]);
  return [made(`h${Math.min(marks.length + 1, 6)}`, inline(words)), at + 1];
}

function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [made("blockquote", blocks(inner, depth + 1)), end];
}

function list(lines, at, depth) {
  const isNumbered = /\d/.test(ITEM.exec(lines[at])[2]);
  const items = [];
  let place = at;
  for (
    let found = ITEM.exec(lines[place]);
    found && /\d/.test(found[2]) === isNumbered;
    found = ITEM.exec(lines[place] ?? "")
  ) {
    const end = itemEnd(lines, place + 1, found[0].length);
    const inner = [
      lines[place].slice(found[0].length),
      ...lines.slice(place + 1, end).map((line) => outdented(line, found[0].length)),
    ];
    items.push(made("li", itemParts(blocks(inner, depth + 1))));
    place = end;
  }
  const element = made(isNumbered ? "ol" : "ul", items);
  if (isNumbered) element.start = Number.parseInt(ITEM.exec(lines[at])[2], 10);
  return [element, place];
}

/** Where the lines of an item end: at the next item, or at words that are not indented after an empty line. */
function itemEnd(lines, at, width) {
  let end = at;
  while (end < lines.length) {
    const isEmpty = !lines[end].trim();
    const isInside = indent(lines[end]) >= Math.min(width, 2);
    if (!isEmpty && !isInside && (begun(lines, end) || !lines[end - 1].trim())) break;
    end += 1;
  }
  return end;
}

function itemParts(found) {
  // A single paragraph would set each item apart as if it were one.
  return found.length && found[0].tagName === "P" ? [...found[0].childNodes, ...found.slice(1)] : found;
}

function indent(line) {
  return line.length - line.trimStart().length;
}

function outdented(line, width) {
  return line.slice(Math.min(indent(line), width));
}

function table(lines, at) {
  const head = made("thead", [row(lines[at], "th")]);
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end += 1;
  const body = made(
    "tbody",
    lines.slice(at + 2, end).map((line) => row(line, "td")),
  );
  const scroller = made("div", [made("table", [head, body])]);
  scroller.className = "scroller";
  return [scroller, end];
}

function row(line, cell) {
  const words = line.trim().replace(/^\|/, "").replace(/\|$/, "").split("|");
  return made(
    "tr",
    words.map((word) => made(cell, inline(word.trim()))),
  );
}

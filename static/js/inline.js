// Markdown inside a line: only text nodes and a fixed set of elements are ever made, so nothing in an answer can act.

const DEEPEST = 6;
// Each pattern is bounded, so that no answer makes it look far: `y` tries it at one place only.
const RULES = [
  [/\\([!-/:-@[-`{-~])/y, (found) => found[1]],
  [/(`{1,4})([^`](?:[^\n]{0,2000}?[^`])?)\1(?!`)/y, (found) => made("code", [found[2].trim() || found[2]])],
  [/!\[([^\]\n]{0,300})\]\([^()\s]{0,2000}(?:\s+"[^"\n]{0,300}")?\)/y, (found) => found[1]],
  [
    /\[([^[\]\n]{1,300})\]\(([^()\s]{1,2000})(?:\s+"[^"\n]{0,300}")?\)/y,
    (found, depth) => link(found[2], inline(found[1], depth)),
  ],
  [/<?(https?:\/\/[^\s<>"'`)\]]{1,2000}[^\s<>"'`)\].,;:!?])>?/y, (found) => link(found[1], [found[1]])],
  [/\*\*(?=\S)([^\n]{1,2000}?)\*\*(?!\*)/y, (found, depth) => made("strong", inline(found[1], depth))],
  [/~~(?=\S)([^\n]{1,2000}?)~~/y, (found, depth) => made("del", inline(found[1], depth))],
  [/\*(?=[^\s*])([^*\n]{1,2000}?)\*(?!\*)/y, (found, depth) => made("em", inline(found[1], depth))],
  [/(?<!\w)_(?=[^\s_])([^_\n]{1,2000}?)_(?!\w)/y, (found, depth) => made("em", inline(found[1], depth))],
  [/\n/y, () => made("br", [])],
];
const MARKS = /[\\`!*_~[<h\n]/g;

/** The nodes and texts that `text` stands for. */
export function inline(text, depth = 0) {
  if (depth > DEEPEST) return [text];
  const parts = [];
  let plain = 0;
  for (let place = next(text, 0); place < text.length; ) {
    const [part, end] = marked(text, place, depth + 1);
    if (end === place) {
      place = next(text, place + 1);
      continue;
    }
    parts.push(text.slice(plain, place), part);
    plain = end;
    place = next(text, end);
  }
  return [...parts, text.slice(plain)].filter((part) => part !== "");
}

/** An element with these nodes and texts in it. */
export function made(name, parts) {
  const element = document.createElement(name);
  element.append(...parts);
  return element;
}

function next(text, from) {
  MARKS.lastIndex = from;
  return MARKS.exec(text)?.index ?? text.length;
}

function marked(text, place, depth) {
  for (const [pattern, make] of RULES) {
    pattern.lastIndex = place;
    const found = pattern.exec(text);
    if (found) return [make(found, depth), place + found[0].length];
  }
  return ["", place];
}

/** A link that leaves for the web; what is no web address or mail address stays words. */
function link(address, parts) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !["http:", "https:", "mailto:"].includes(url.protocol)) return made("span", parts);
  const anchor = made("a", parts);
  anchor.href = url.href;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer nofollow";
  return anchor;
}

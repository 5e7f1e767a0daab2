// Which name is being typed at a caret, which names it could become, and the text with one of them in its place.

import type { Language } from "../document/config-fields";
import type { ScopeName } from "../document/scope-names";

export const MOST_SHOWN = 8;

/** Where the word before the caret begins; null where no name can stand. */
export function wordStart(text: string, caret: number, language: Language): number | null {
  const before = text.slice(0, caret);
  const begun = caret - /[\w.]*$/.exec(before)![0].length;
  if (language === "template")
    return isInBraces(before) && /(\{\{|[^\w.])$/.test(before.slice(0, begun)) ? begun : null;
  if (language === "path") return begun === 0 ? 0 : null;
  return begun < caret && /[A-Za-z_]/.test(text[begun]!) && !isInQuotes(before.slice(0, begun)) ? begun : null;
}

function isInBraces(before: string): boolean {
  const open = before.lastIndexOf("{{");
  return open >= 0 && before[open - 1] !== "\\" && !before.slice(open).includes("}}");
}

function isInQuotes(before: string): boolean {
  let quote = "";
  for (const letter of before.replace(/\\./g, "")) {
    if (!quote && (letter === "'" || letter === '"')) quote = letter;
    else if (letter === quote) quote = "";
  }
  return quote !== "";
}

/** The names that begin like the word at the caret. */
export function matching(names: ScopeName[], text: string, caret: number, language: Language): ScopeName[] {
  const start = wordStart(text, caret, language);
  if (start === null) return [];
  const word = text.slice(start, caret);
  return names.filter(({ name }) => name.startsWith(word) && name !== word).slice(0, MOST_SHOWN);
}

/** The text with the name in place of the word at the caret, and the caret behind it. */
export function completed(text: string, caret: number, name: string, language: Language) {
  const start = wordStart(text, caret, language) ?? caret;
  return inserted(text, start, caret, name, language);
}

/** The text with the name put in where the caret is, in braces where it must stand in braces. */
export function added(text: string, caret: number, name: string, language: Language) {
  if (language === "path") return { text: name, caret: name.length };
  const isBare = language === "template" && !isInBraces(text.slice(0, caret));
  return inserted(text, caret, caret, isBare ? `{{${name}` : name, language);
}

function inserted(text: string, start: number, end: number, given: string, language: Language) {
  const rest = text.slice(end);
  const closing = language === "template" && !/^\s*\}\}/.test(rest) ? "}}" : "";
  const before = text.slice(0, start) + given;
  const opened = closing || language !== "template" ? 0 : /^\s*\}\}/.exec(rest)![0].length;
  return { text: before + closing + rest, caret: before.length + closing.length + opened };
}

// What stands around the text of an answer: what was thought before it, what went wrong, and its figures.

import { made } from "./inline.js";

/** Show what the model thinks before it answers, folded, above its answer. */
export function showThought(article, thought) {
  let folded = article.querySelector(".thought");
  if (!folded) {
    folded = made("details", [made("summary", ["What it thought"]), made("div", [])]);
    folded.className = "thought";
    article.prepend(folded);
  }
  folded.lastChild.textContent = thought;
}

/** A sentence that reads itself out, and links as `[words, url]` to what can be done. */
export function notice(kind, words, ...links) {
  const line = made("p", [words]);
  for (const [text, url] of links) {
    const link = made("a", [text]);
    link.href = url;
    line.append(" ", link);
  }
  line.className = `notice ${kind}`;
  line.setAttribute("role", "alert");
  return line;
}

/** How long it took and what it used, on one line. `verb` says how it ended. */
export function figures(seen, verb) {
  const parts = [`${verb} in ${seconds(performance.now() - seen.started)}`];
  if (seen.first !== null) parts.push(`first token after ${seconds(seen.first - seen.started)}`);
  if (seen.usage) parts.push(`${seen.usage.prompt_tokens} + ${seen.usage.completion_tokens} tokens`);
  const line = made("p", [parts.join(" · ")]);
  line.className = "figures";
  return line;
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

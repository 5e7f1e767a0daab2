// What the nodes did, beneath their answer in the playground.

import { made } from "./inline.js";
import { traceOf } from "./trace.js";
import { waterfall } from "./waterfall.js";

let isOpen = false; // as the last one was left

/** Put the trace of a request beneath its answer, once it is there. `key` gives the API key. */
export async function showTrace(article, url, requestId, key) {
  const place = made("div", []);
  place.setAttribute("aria-live", "off"); // the answer was read out; this is there for whoever looks for it
  article.append(place);
  await look();

  async function look() {
    const run = await traceOf(url, requestId, key).catch(() => null);
    place.replaceChildren(run ? foldable(run) : again(look));
    bringUp(place);
  }
}

/** A long trace begins in sight, beneath the end of its answer; a short one ends the transcript. */
function bringUp(place) {
  const transcript = place.closest(".transcript");
  transcript.scrollTop = place.offsetTop - transcript.offsetTop - transcript.clientHeight / 3;
}

function foldable(run) {
  const drawn = waterfall(run);
  drawn.open ||= isOpen;
  drawn.firstChild.addEventListener("click", () => (isOpen = !drawn.open)); // before it turns
  return drawn;
}

function again(look) {
  const button = made("button", ["Look again"]);
  button.type = "button";
  button.className = "button quiet tiny";
  button.addEventListener("click", look);
  const line = made("p", ["The run trace is not there yet. ", button]);
  line.className = "figures";
  return line;
}

// The playground's page: what is typed becomes a request, what comes back becomes a conversation.

import { asCurl, asPython } from "./as_code.js";
import { ask, Refused } from "./chat.js";
import { made } from "./inline.js";
import { render } from "./markdown.js";
import { traceOf } from "./trace.js";
import { waterfall } from "./waterfall.js";

const SPARE_MS = 30_000; // a key that ends within this time is not begun with
const RAN = new Set(["core_error", "core_timeout"]); // refusals that come from within a run
const form = document.getElementById("playground");
const field = (id) => document.getElementById(id);

let messages = [];
let held = null;
let running = null;
let isTraceOpen = false; // as the last one was left

if (form) begin();

function begin() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!running) send();
  });
  form.addEventListener("input", show);
  field("message").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  field("stop").addEventListener("click", () => running?.abort());
  field("fresh").addEventListener("click", startAnew);
  field("model").addEventListener("change", choose);
  choose();
}

/** Another model: another conversation, and an entity id where it needs one. */
function choose() {
  const { flowUrl } = chosen();
  if (hasMemory()) field("entity").value ||= "playground";
  field("untraced").hidden = !flowUrl;
  if (flowUrl) field("untraced").querySelector("a").href = flowUrl;
  startAnew();
}

function hasMemory() {
  return "memory" in chosen();
}

/** What the page knows of the model. */
function chosen() {
  return field("model").selectedOptions[0].dataset;
}

function startAnew() {
  running?.abort();
  messages = [];
  for (const said of form.querySelectorAll(".said")) said.remove();
  field("fresh").hidden = true;
  field("progress").textContent = "";
  show();
}

/** The request as it would be sent now. */
function request() {
  const typed = field("message").value;
  const body = { model: field("model").value, messages: [...messages, { role: "user", content: typed || "hello" }] };
  const stops = field("stops").value.split("\n").filter(Boolean);
  if (field("entity").value) body.entity_id = field("entity").value;
  if (field("temperature").value) body.temperature = field("temperature").valueAsNumber;
  if (field("max-tokens").value) body.max_tokens = field("max-tokens").valueAsNumber;
  if (stops.length) body.stop = stops;
  return { ...body, stream: true, stream_options: { include_usage: true } };
}

function show() {
  const help = field("entity-help");
  help.textContent = hasMemory() ? help.dataset.memory : help.dataset.none;
  field("as-curl").textContent = asCurl(form.dataset.baseUrl, request());
  field("as-python").textContent = asPython(form.dataset.baseUrl, request());
}

async function send() {
  const box = field("message");
  if (!box.value.trim()) {
    field("progress").textContent = "Write a message first.";
    box.focus();
    return;
  }
  const body = request();
  const typed = box.value;
  box.value = "";
  speak(made("div", [typed])).classList.add("mine");
  const article = speak(made("div", []));
  await answer(body, article, () => (box.value ||= typed));
  box.focus();
}

/** Keep the newest words in sight. */
function follow() {
  const transcript = field("transcript");
  transcript.scrollTop = transcript.scrollHeight;
}

function speak(words) {
  const said = made("article", [words]);
  said.classList.add("said");
  field("transcript").querySelector(".hint")?.remove();
  field("transcript").append(said);
  follow();
  return said;
}

/** Stream one answer into `article`; `restore` gives back what was typed when nothing was said. */
async function answer(body, article, restore) {
  const mine = new AbortController();
  running = mine;
  const written = article.firstChild;
  const seen = { text: "", usage: null, requestId: null, started: performance.now(), first: null };
  const { core, ...known } = chosen();
  let didRun = true;
  written.className = "written";
  setBusy(article, true);
  try {
    await stream(body, mine.signal, seen, written);
    messages = [...body.messages, { role: "assistant", content: seen.text }];
    figures(article, seen, "Answered");
  } catch (error) {
    fail(article, seen, error);
    didRun = seen.text || error.name === "AbortError" || RAN.has(error.code);
    if (!seen.text) restore();
  } finally {
    if (running === mine) running = null;
    setBusy(article, false);
    show();
  }
  if ("traced" in known && didRun && seen.requestId)
    await trace(article, `${form.dataset.coresUrl}/${core}/runs`, seen.requestId);
}

/** What the nodes did, beneath their answer. */
async function trace(article, url, requestId) {
  const place = made("div", []);
  place.setAttribute("aria-live", "off"); // the answer was read out; this is there for whoever looks for it
  article.append(place);
  await look();

  async function look() {
    const run = await traceOf(url, requestId, () => key()).catch(() => null);
    place.replaceChildren(run ? foldable(run) : again(look));
    bringUp(place);
  }
}

/** A long trace begins in sight, beneath the end of its answer; a short one ends the transcript. */
function bringUp(place) {
  const transcript = field("transcript");
  transcript.scrollTop = place.offsetTop - transcript.offsetTop - transcript.clientHeight / 3;
}

function foldable(run) {
  const drawn = waterfall(run);
  drawn.open ||= isTraceOpen;
  drawn.firstChild.addEventListener("click", () => (isTraceOpen = !drawn.open)); // before it turns
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

async function stream(body, signal, seen, written, isSecond = false) {
  let isDrawn = true;
  const draw = () => {
    written.replaceChildren(...render(seen.text));
    follow();
    isDrawn = true;
  };
  try {
    for await (const event of ask(form.dataset.completionsUrl, await key(signal), body, signal)) {
      if (event.requestId) seen.requestId = event.requestId;
      if (event.usage) seen.usage = event.usage;
      if (!event.text) continue;
      seen.first ??= performance.now();
      seen.text += event.text;
      if (isDrawn) requestAnimationFrame(draw);
      isDrawn = false;
    }
  } catch (error) {
    // Another tab has ended this tab's key, or it has run out: one fresh key, one more try.
    held = error.status === 401 ? null : held;
    if (error.status !== 401 || isSecond) throw error;
    await stream(body, signal, seen, written, true);
    return;
  } finally {
    draw();
  }
}

/** A key of the signed-in user that lives minutes; kept in this page's memory alone. */
async function key(signal) {
  if (held && held.until > Date.now() + SPARE_MS) return held.key;
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const response = await fetch(form.dataset.keyUrl, { method: "POST", headers: { "X-CSRFToken": token }, signal });
  if (response.redirected || !response.ok)
    throw new Refused(response.status, { message: "You are signed out. Load this page again and sign in." });
  const given = await response.json();
  held = { key: given.key, until: Date.parse(given.expires_at) };
  return held.key;
}

function fail(article, seen, error) {
  if (error.name === "AbortError") {
    figures(article, seen, "Stopped");
    return;
  }
  const isNetwork = !(error instanceof Refused);
  const words = isNetwork ? "The server could not be reached. Look at your connection and send again." : error.message;
  const leads = error.code === "model_access_denied" ? [" ", accessLink()] : [];
  if (RAN.has(error.code) && seen.requestId) leads.push(" ", runLink(seen.requestId));
  const notice = made("p", [words, ...leads]);
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  article.append(notice);
  follow();
  field("progress").textContent = "";
}

function accessLink() {
  const link = made("a", ["See the models"]);
  link.href = form.dataset.modelsUrl;
  return link;
}

/** Where its caller, and an admin who is told the id, read why it failed. */
function runLink(requestId) {
  const link = made("a", [`Why: run ${requestId}`]);
  link.href = form.dataset.runUrl.replace("REQUEST", requestId);
  return link;
}

function figures(article, seen, verb) {
  const parts = [`${verb} in ${seconds(performance.now() - seen.started)}`];
  if (seen.first !== null) parts.push(`first token after ${seconds(seen.first - seen.started)}`);
  if (seen.usage) parts.push(`${seen.usage.prompt_tokens} + ${seen.usage.completion_tokens} tokens`);
  const line = made("p", [parts.join(" · ")]);
  line.className = "figures";
  article.append(line);
  follow();
  field("progress").textContent = verb === "Stopped" ? "Stopped." : "";
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

function setBusy(article, isBusy) {
  article.setAttribute("aria-busy", String(isBusy));
  field("stop").hidden = !isBusy;
  field("send").hidden = isBusy;
  field("fresh").hidden = isBusy;
  if (isBusy) field("progress").textContent = "Answering…";
}

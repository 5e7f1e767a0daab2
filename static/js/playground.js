// The playground's page: what is typed becomes a request, what comes back becomes a conversation.

import { figures, notice, showThought } from "./answer_parts.js";
import { asCurl, asPython } from "./as_code.js";
import { ask, Refused } from "./chat.js";
import { asChoices, asItems, KeptConversations, recall, remembered, titleOf } from "./conversations.js";
import { made } from "./inline.js";
import { render } from "./markdown.js";
import { showTrace } from "./run_trace.js";
import { localise } from "./times.js";

const SPARE_MS = 30_000; // a key that ends within this time is not begun with
const RAN = new Set(["core_error", "core_timeout"]); // refusals that come from within a run
// what to do about a refusal: the words of a link, and where it leads
const LINKS = {
  model_access_denied: ["See the models", "/models/"],
  signed_out: ["Sign in", "/login/?next=/playground/"],
};
const form = document.getElementById("playground");
const field = (id) => document.getElementById(id);

let messages = [];
let held = null;
let running = null;
let current = newId();
const kept = new KeptConversations(form?.dataset.user);
const everyModel = form ? [...field("model").options] : [];

if (form) begin();

function newId() {
  return `playground-${Date.now().toString(36)}`;
}

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
  field("fresh").addEventListener("click", () => {
    startAnew();
    if (hasMemory()) field("entity").value = current;
    show();
  });
  field("search").addEventListener("input", narrow);
  field("model").addEventListener("change", choose);
  choose();
}

/** Another model answers from here on: what is typed, said or still being answered stays as it is. */
function choose() {
  const { flowUrl } = chosen();
  if (hasMemory()) field("entity").value ||= "playground";
  field("untraced").hidden = !flowUrl;
  if (flowUrl) field("untraced").querySelector("a").href = flowUrl;
  if (messages.length) note(`From here on: ${field("model").value}`);
  show();
  listConversations();
}

/** Offer the models that hold what is searched for, and the chosen one. */
function narrow() {
  const wanted = field("search").value.trim().toLowerCase();
  const before = field("model").value;
  const found = everyModel.filter(({ value }) => value === before || value.toLowerCase().includes(wanted));
  field("model").replaceChildren(...found);
  field("model").value = before;
}

function hasMemory() {
  return "memory" in chosen();
}

/** What the page knows of the model. */
function chosen() {
  return field("model").selectedOptions[0].dataset;
}

function startAnew() {
  messages = [];
  current = newId();
  for (const said of form.querySelectorAll(".said, .noted, .choices")) said.remove();
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

/** The conversations that can be opened again: what the model remembers, or what this browser keeps. */
async function listConversations() {
  const model = field("model").value;
  const found = hasMemory() ? await remembered(chosen().core) : kept.list();
  if (field("model").value !== model) return; // another was chosen meanwhile
  const forget = ({ id }) => {
    kept.forget(id);
    listConversations();
  };
  field("conversations").replaceChildren(...asItems(found, { open: reopen, forget }));
  localise(field("conversations"));
  field("past").hidden = !found.length;
}

async function reopen({ id, entity, model, messages: said }) {
  if (running) return;
  const { messages: told, options = [] } = said ? { messages: said } : await recall(chosen().core, entity);
  startAnew();
  current = id ?? current;
  if (entity) field("entity").value = entity;
  if (model && everyModel.some(({ value }) => value === model)) field("model").value = model;
  for (const { role, content } of told) {
    const words = made("div", role === "user" ? [content] : render(content));
    speak(words).classList.toggle("mine", role === "user");
    if (role !== "user") words.className = "written";
  }
  messages = told;
  field("fresh").hidden = false;
  offer(options);
  show();
}

function note(text) {
  const line = made("p", [text]);
  line.className = "noted muted small";
  field("transcript").append(line);
  follow();
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
  form.querySelector(".choices")?.remove();
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
  const seen = { text: "", thought: "", usage: null, requestId: null, started: performance.now(), first: null };
  const { core, traced, asks, memory } = chosen();
  let didRun = true;
  written.className = "written";
  setBusy(article, true);
  try {
    await stream(body, mine.signal, seen, article);
    if (seen.text) remember(body, seen.text);
    else article.append(notice("warn", "The answer is empty: the model said nothing."));
    end(article, seen, "Answered");
  } catch (error) {
    fail(article, seen, error);
    didRun = seen.text || error.name === "AbortError" || RAN.has(error.code);
    if (!seen.text) restore();
  } finally {
    if (running === mine) running = null;
    setBusy(article, false);
    show();
  }
  if (seen.text && asks !== undefined) offer((await recall(core, body.entity_id)).options);
  if (memory !== undefined && seen.text) listConversations();
  if (traced !== undefined && didRun && seen.requestId) {
    await showTrace(article, `${form.dataset.coresUrl}/${core}/runs`, seen.requestId, key);
  }
}

function remember(body, text) {
  messages = [...body.messages, { role: "assistant", content: text }];
  if (body.entity_id) return;
  kept.keep({ id: current, model: body.model, at: new Date().toISOString(), title: titleOf(messages), messages });
  if (!hasMemory()) listConversations();
}

/** The answers that a checkpoint waits for, to be chosen by a click. */
function offer(options) {
  if (!options.length || running) return;
  const choices = asChoices(options, (option) => {
    field("message").value = option;
    form.requestSubmit();
  });
  field("transcript").append(choices);
  follow();
}

async function stream(body, signal, seen, article, isSecond = false) {
  const written = article.querySelector(".written");
  let isDrawn = true;
  const draw = () => {
    written.replaceChildren(...render(seen.text));
    if (seen.thought) showThought(article, seen.thought);
    follow();
    isDrawn = true;
  };
  try {
    for await (const event of ask(form.dataset.completionsUrl, await key(signal), body, signal)) {
      if (event.requestId) seen.requestId = event.requestId;
      if (event.usage) seen.usage = event.usage;
      if (!event.text && !event.thought) continue;
      seen.first ??= performance.now();
      seen.text += event.text ?? "";
      seen.thought += event.thought ?? "";
      if (isDrawn) requestAnimationFrame(draw);
      isDrawn = false;
    }
  } catch (error) {
    // Another tab has ended this tab's key, or it has run out: one fresh key, one more try.
    held = error.status === 401 ? null : held;
    if (error.status !== 401 || isSecond) throw error;
    await stream(body, signal, seen, article, true);
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
    throw new Refused(response.status, { code: "signed_out", message: "You are signed out." });
  const given = await response.json();
  held = { key: given.key, until: Date.parse(given.expires_at) };
  return held.key;
}

function fail(article, seen, error) {
  if (error.name === "AbortError") {
    end(article, seen, "Stopped");
    return;
  }
  const isNetwork = !(error instanceof Refused);
  const words = isNetwork ? "The server could not be reached. Look at your connection and send again." : error.message;
  const links = LINKS[error.code] ? [LINKS[error.code]] : [];
  if (RAN.has(error.code) && seen.requestId)
    links.push([`Why: run ${seen.requestId}`, form.dataset.runUrl.replace("REQUEST", seen.requestId)]);
  article.append(notice("bad", words, ...links));
  follow();
  field("progress").textContent = "";
}

function end(article, seen, verb) {
  article.append(figures(seen, verb));
  follow();
  field("progress").textContent = verb === "Stopped" ? "Stopped." : "";
}

function setBusy(article, isBusy) {
  article.setAttribute("aria-busy", String(isBusy));
  field("stop").hidden = !isBusy;
  field("send").hidden = isBusy;
  field("fresh").hidden = isBusy;
  if (isBusy) field("progress").textContent = "Answering…";
}

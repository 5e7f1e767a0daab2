// The user's own conversations: those of models with memory from the server, all others from this browser.

import { made } from "./inline.js";

const MOST = 30;
const LONGEST_TITLE = 60;

/** What this browser keeps of one user's conversations, the newest first; where it keeps nothing, there are none. */
export class KeptConversations {
  constructor(userId) {
    this.name = `scaigrid-conversations-${userId}`;
  }

  list() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.name) ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }

  keep(conversation) {
    this.#store([conversation, ...this.#without(conversation.id)].slice(0, MOST));
  }

  forget(id) {
    this.#store(this.#without(id));
  }

  #without(id) {
    return this.list().filter((each) => each.id !== id);
  }

  #store(conversations) {
    try {
      localStorage.setItem(this.name, JSON.stringify(conversations));
    } catch {
      // Full, or not allowed: the conversation goes on, and is not found again.
    }
  }
}

/** What a model remembers of the user, as conversations; none where the server gives no list. */
export async function remembered(core) {
  const items = (await read(`/playground/${core}/conversations/`))?.items ?? [];
  return items.map((each) => ({
    entity: each.entity_id,
    title: each.entity_id,
    at: each.updated_at,
    turns: each.turns_committed,
  }));
}

/** One of them: its `messages`, and as `options` the answers that it waits for. */
export async function recall(core, entity) {
  const found = await read(`/playground/${core}/conversation/?entity_id=${encodeURIComponent(entity)}`);
  return found ?? { messages: [], options: [] };
}

async function read(url) {
  const response = await fetch(url, { headers: { accept: "application/json" } }).catch(() => null);
  return response?.ok ? response.json() : null;
}

/** The title of a conversation: how it began. */
export function titleOf(messages) {
  const text = messages[0]?.content.replaceAll(/\s+/g, " ").trim() ?? "";
  return text.length > LONGEST_TITLE ? `${text.slice(0, LONGEST_TITLE - 1)}…` : text;
}

/** The list as elements: each opens its conversation, and those of this browser can be forgotten. */
export function asItems(conversations, { open, forget }) {
  return conversations.map((each) => {
    const link = button(each.title || "Untitled", "link", () => open(each));
    const time = made("time", []);
    time.dateTime = each.at;
    const facts = made("span", [each.turns ? `${each.turns} turns, ` : "", time]);
    facts.className = "muted small";
    const parts = [link, facts];
    if (each.id) {
      const remove = button("✕", "button quiet tiny", () => forget(each));
      remove.setAttribute("aria-label", `Forget ${each.title}`);
      parts.push(remove);
    }
    return made("li", parts);
  });
}

/** The answers that a checkpoint takes, as buttons. */
export function asChoices(options, choose) {
  const group = made(
    "div",
    options.map((option) => button(option, "button quiet", () => choose(option))),
  );
  group.className = "row choices";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Answers to choose from");
  return group;
}

function button(text, className, act) {
  const element = made("button", [text]);
  element.type = "button";
  element.className = className;
  element.addEventListener("click", act);
  return element;
}

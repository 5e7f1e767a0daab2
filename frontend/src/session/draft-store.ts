// Unsaved work in this browser's storage: one draft for each open editor, under the user's and the flow's id.

import { isObject, type JsonObject, objectOf, parse, textOf } from "../document/json";

export type Draft = {
  key: string;
  baseVersion: string;
  baseTime: string;
  base: JsonObject;
  document: JsonObject;
  at: string;
};

export class DraftStore {
  private readonly prefix: string;
  private ownKey: string;

  constructor(
    user: string,
    flow: string,
    private readonly store: () => Storage = () => localStorage,
  ) {
    this.prefix = `scaigrid.draft.${user}.${flow}.`;
    this.ownKey = this.newKey();
  }

  /** Keep the draft; false when the browser would not. */
  keep(draft: Omit<Draft, "key">): boolean {
    try {
      this.store().setItem(this.ownKey, JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  }

  /** Forget this editor's own draft, or another one. */
  drop(key: string = this.ownKey): void {
    try {
      this.store().removeItem(key);
    } catch {
      // A browser that stores nothing has nothing to forget.
    }
  }

  /** Leave this editor's draft to be offered again, and go on under another key. */
  shelve(): void {
    this.ownKey = this.newKey();
  }

  /** The drafts that other editors of this flow have left, newest first. */
  left(): Draft[] {
    try {
      const store = this.store();
      const keys = Array.from({ length: store.length }, (_, index) => store.key(index) ?? "");
      const found = keys
        .filter((key) => key.startsWith(this.prefix) && key !== this.ownKey)
        .flatMap((key) => read(key, store.getItem(key)));
      return found.sort((one, other) => other.at.localeCompare(one.at));
    } catch {
      return [];
    }
  }

  private newKey(): string {
    return `${this.prefix}${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
  }
}

function read(key: string, text: string | null): Draft[] {
  const stored = objectOf(text ? parse(text) : null);
  if (!isObject(stored.document)) return [];
  return [
    {
      key,
      baseVersion: textOf(stored.baseVersion),
      baseTime: textOf(stored.baseTime),
      base: objectOf(stored.base),
      document: stored.document,
      at: textOf(stored.at),
    },
  ];
}

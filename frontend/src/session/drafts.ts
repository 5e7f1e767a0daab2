// Unsaved work, kept in this browser: one draft for each open editor, under the user's and the flow's name.

import { isObject, type JsonObject, objectOf, parse, textOf } from "../document/json";

export type Draft = { key: string; baseVersion: string; base: JsonObject; document: JsonObject; at: string };

export class Drafts {
  private readonly prefix: string;
  private own: string;

  constructor(
    user: string,
    flow: string,
    private readonly store: () => Storage = () => localStorage,
  ) {
    this.prefix = `scaigrid.draft.${user}.${flow}.`;
    this.own = this.fresh();
  }

  /** Keep the draft; false when the browser would not. */
  keep(draft: Omit<Draft, "key">): boolean {
    try {
      this.store().setItem(this.own, JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  }

  /** Forget this editor's own draft, or another one. */
  drop(key: string = this.own): void {
    try {
      this.store().removeItem(key);
    } catch {
      // Where nothing can be stored nothing is left behind.
    }
  }

  /** Leave the own draft where it is, to be offered again, and go on under another name. */
  shelve(): void {
    this.own = this.fresh();
  }

  /** What other editors of this flow left behind, the newest first. */
  left(): Draft[] {
    try {
      const store = this.store();
      const keys = Array.from({ length: store.length }, (_, place) => store.key(place) ?? "");
      const found = keys
        .filter((key) => key.startsWith(this.prefix) && key !== this.own)
        .flatMap((key) => read(key, store.getItem(key)));
      return found.sort((one, other) => other.at.localeCompare(one.at));
    } catch {
      return [];
    }
  }

  private fresh(): string {
    return `${this.prefix}${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
  }
}

function read(key: string, text: string | null): Draft[] {
  const told = objectOf(text ? parse(text) : null);
  if (!isObject(told.document)) return [];
  return [
    {
      key,
      baseVersion: textOf(told.baseVersion),
      base: objectOf(told.base),
      document: told.document,
      at: textOf(told.at),
    },
  ];
}

// What this browser remembers of how somebody likes the page.

import { useState } from "react";
import { type Json, parse } from "../document/json";

/** State that outlives the page, under a name of its own; what is stored counts only where `fits` says so. */
export function useRemembered<T extends Json>(
  name: string,
  initial: () => T,
  fits: (stored: Json) => stored is T,
): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    const stored = recall(`scaigrid.${name}`);
    return stored !== undefined && fits(stored) ? stored : initial();
  });
  const set = (next: T) => {
    setValue(next);
    remember(`scaigrid.${name}`, next);
  };
  return [value, set];
}

export function isBoolean(stored: Json): stored is boolean {
  return typeof stored === "boolean";
}

function recall(key: string): Json | undefined {
  try {
    const text = localStorage.getItem(key);
    return text === null ? undefined : parse(text);
  } catch {
    return undefined;
  }
}

function remember(key: string, value: Json): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser that stores nothing shows the page as it comes.
  }
}

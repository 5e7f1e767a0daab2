// What is typed for the groups, which groups fit the last word of it, and how one of them is taken.

import { type KeyboardEvent, useCallback, useEffect, useMemo, useState } from "react";
import { readGroupIds, unknownGroupIds, writeGroupIds } from "../document/group-ids";
import { equal, type Json } from "../document/json";
import type { Group } from "../server/page";
import { useWork } from "../work";

export const GROUPS_ID = "visibility-groups";
const MOST = 8;

export type GroupPicker = ReturnType<typeof useGroupPicker>;

export function useGroupPicker(value: Json | undefined, onChange: (ids: string[]) => void, groups: Group[] | null) {
  const { text, setText, read, word } = useIdsText(value);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const ids = read(text);
  const options = fittingGroups(groups ?? [], ids, word);
  const set = (typed: string) => {
    setText(typed);
    setActive(-1);
    if (!equal(read(typed), ids)) onChange(read(typed));
  };
  const isTyping = isOpen && document.activeElement?.id === GROUPS_ID;
  return {
    text,
    options,
    active,
    isOpen,
    setOpen,
    /** The word that is still being typed may yet become one of the options. */
    unknown: unknownGroupIds(ids, groups).filter((id) => !(isTyping && id === word && options.length)),
    chosen: ids.flatMap((id) => groups?.find((group) => group.id === id) ?? []),
    type: (typed: string) => {
      setOpen(true);
      set(typed);
    },
    move: (by: 1 | -1) => {
      setOpen(true);
      setActive(nextOption(active, by, options.length));
    },
    take: (group: Group) => {
      set(`${text.slice(0, text.length - word.length)}${group.id}, `);
      document.getElementById(GROUPS_ID)?.focus();
    },
    drop: (id: string) => set(ids.filter((each) => each !== id).join(", ")),
  };
}

/** The text as typed, until the document holds other ids: undo and restore change them, too. */
function useIdsText(value: Json | undefined) {
  const { page } = useWork();
  const separators = useMemo(() => new RegExp(page.group_separators), [page]);
  const read = useCallback((text: string) => readGroupIds(text, separators), [separators]);
  const [text, setText] = useState(() => writeGroupIds(value));
  useEffect(() => setText((typed) => (equal(read(typed), value) ? typed : writeGroupIds(value))), [value, read]);
  return { text, setText, read, word: text.split(separators).at(-1)! };
}

function fittingGroups(groups: Group[], ids: string[], word: string): Group[] {
  const fits = ({ id, name }: Group) => `${id}\n${name}`.toLowerCase().includes(word.toLowerCase());
  return groups.filter((group) => !ids.includes(group.id) && fits(group)).slice(0, MOST);
}

/** The options are a ring; before the first step none of them is active. */
function nextOption(active: number, by: 1 | -1, count: number): number {
  if (active < 0) return by > 0 ? 0 : count - 1;
  return (active + by + count) % count;
}

/** The keys of a combobox, as the ARIA practices describe it. */
export function onPickerKey(event: KeyboardEvent, picker: GroupPicker): void {
  const { options, active, isOpen } = picker;
  const step = ({ ArrowDown: 1, ArrowUp: -1 } as const)[event.key];
  const chosen = isOpen ? options[active] : undefined;
  if (step && options.length) {
    event.preventDefault();
    picker.move(step);
  } else if (event.key === "Enter" && chosen) {
    event.preventDefault();
    picker.take(chosen);
  } else if (event.key === "Escape" && isOpen) {
    // The panel would take Escape as its own.
    event.stopPropagation();
    picker.setOpen(false);
  }
}

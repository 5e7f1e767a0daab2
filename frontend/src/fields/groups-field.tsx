// Who may call: ids with commas between them, typed, pasted or picked from the tenant's groups.

import { type KeyboardEvent, useEffect, useState } from "react";
import { equal, type Json } from "../document/json";
import type { Group } from "../server/page";

export const GROUPS_ID = "visibility-groups";
const MOST = 8;

export function idsIn(text: string): string[] {
  return [...new Set(text.split(/[,;\s]+/).filter(Boolean))];
}

export function textOfIds(value: Json | undefined): string {
  if (value === undefined) return "";
  return Array.isArray(value) && value.every((each) => typeof each === "string")
    ? value.join(", ")
    : JSON.stringify(value);
}

export function unknownIn(ids: string[], groups: Group[] | null): string[] {
  return groups ? ids.filter((id) => !groups.some((group) => group.id === id)) : [];
}

function toldUnknown(unknown: string[]): string {
  return unknown.length === 1
    ? `The group ${unknown[0]} does not exist.`
    : `These groups do not exist: ${unknown.join(", ")}.`;
}

type Props = {
  value: Json | undefined;
  onChange: (ids: string[]) => void;
  groups: Group[] | null;
  tenant: string;
  isDisabled: boolean;
};

export function GroupsField({ value, onChange, groups, tenant, isDisabled }: Props) {
  const [text, setText] = useState(() => textOfIds(value));
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const ids = idsIn(text);
  // What stands in the document changes by undo and restore, too.
  useEffect(() => setText((typed) => (equal(idsIn(typed), value) ? typed : textOfIds(value))), [value]);

  const word = /[^,;\s]*$/.exec(text)![0];
  const isTyping = isOpen && document.activeElement?.id === GROUPS_ID;
  const offered = (groups ?? [])
    .filter(
      (group) => !ids.includes(group.id) && `${group.id}\n${group.name}`.toLowerCase().includes(word.toLowerCase()),
    )
    .slice(0, MOST);
  const wrong = unknownIn(ids, groups).filter((id) => !(isTyping && id === word && offered.length));
  const type = (typed: string) => {
    setText(typed);
    setActive(-1);
    if (!equal(idsIn(typed), ids)) onChange(idsIn(typed));
  };
  const take = (group: Group) => {
    type(`${text.slice(0, text.length - word.length)}${group.id}, `);
    document.getElementById(GROUPS_ID)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && offered.length) {
      event.preventDefault();
      setOpen(true);
      setActive((active + by + offered.length + (active < 0 && by < 0 ? 1 : 0)) % offered.length);
    } else if (event.key === "Enter" && isOpen && offered[active]) {
      event.preventDefault();
      take(offered[active]);
    } else if (event.key === "Escape" && isOpen) {
      event.stopPropagation();
      setOpen(false);
    }
  };
  const isShown = isOpen && offered.length > 0 && !isDisabled;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only notices that the focus has left its parts.
    <div
      className="field groups"
      onBlur={(event) => event.currentTarget.contains(event.relatedTarget) || setOpen(false)}
    >
      <label htmlFor={GROUPS_ID}>Visibility group IDs (comma-separated)</label>
      <input
        id={GROUPS_ID}
        type="text"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={isShown}
        aria-controls={`${GROUPS_ID}-list`}
        aria-activedescendant={isShown && active >= 0 ? `${GROUPS_ID}-${active}` : undefined}
        aria-describedby={`${GROUPS_ID}-help${wrong.length ? ` ${GROUPS_ID}-error` : ""}`}
        aria-invalid={wrong.length ? true : undefined}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        disabled={isDisabled}
        value={text}
        onChange={(event) => {
          setOpen(true);
          type(event.target.value);
        }}
        onFocus={() => setOpen(true)}
        onKeyDown={onKeyDown}
      />
      <div
        id={`${GROUPS_ID}-list`}
        role="listbox"
        aria-label="Groups of the tenant"
        className="options"
        hidden={!isShown}
      >
        {offered.map((group, place) => (
          // The input keeps the focus, so that typing goes on.
          <div
            key={group.id}
            id={`${GROUPS_ID}-${place}`}
            role="option"
            tabIndex={-1}
            aria-selected={place === active}
            onPointerDown={(event) => {
              event.preventDefault();
              take(group);
            }}
          >
            <span>{group.name}</span> <code>{group.id}</code>
          </div>
        ))}
      </div>
      {wrong.length > 0 && (
        <p className="error" id={`${GROUPS_ID}-error`}>
          {toldUnknown(wrong)}
        </p>
      )}
      <p className="help" id={`${GROUPS_ID}-help`}>
        Empty: everyone in {tenant} may call it.
      </p>
      <Picked
        ids={ids}
        groups={groups}
        isDisabled={isDisabled}
        drop={(id) => {
          const left = ids.filter((each) => each !== id);
          setText(left.join(", "));
          onChange(left);
        }}
      />
    </div>
  );
}

function Picked({
  ids,
  groups,
  drop,
  isDisabled,
}: {
  ids: string[];
  groups: Group[] | null;
  drop: (id: string) => void;
  isDisabled: boolean;
}) {
  const known = ids.flatMap((id) => groups?.find((group) => group.id === id) ?? []);
  if (!known.length) return null;
  return (
    <ul className="picked" aria-label="Chosen groups">
      {known.map((group) => (
        <li key={group.id}>
          <span>
            {group.name} <small>{members(group)}</small>
          </span>
          {!isDisabled && (
            <button type="button" aria-label={`Take ${group.name} off the list`} onClick={() => drop(group.id)}>
              ✕
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function members({ user_count: users, group_count: groups }: Group): string {
  const told = `${users} member${users === 1 ? "" : "s"}`;
  return groups ? `${told}, ${groups} nested group${groups === 1 ? "" : "s"}` : told;
}

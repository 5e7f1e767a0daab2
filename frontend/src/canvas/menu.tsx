// A menu: opened by a button or at the pointer, worked by the arrow keys, closed by Escape or by leaving it.

import { type FocusEvent, type KeyboardEvent, type RefObject, useEffect, useRef } from "react";
import { useInWindow } from "../browser/in-window";
import type { Place } from "../document/parts";

export type MenuItem = {
  name: string;
  /** The keys that do the same. */
  keys?: string;
  isOff?: boolean;
  /** Set for items of which one is chosen. */
  isChosen?: boolean;
  act: () => void;
};

type Props = {
  label: string;
  items: MenuItem[];
  /** In pixels of the window. */
  at: Place;
  close: () => void;
};

export function Menu({ label, items, at, close }: Props) {
  const menu = useRef<HTMLDivElement>(null);
  useInWindow(menu, at);
  const giveBack = useFocusInside(menu);
  const leave = () => {
    close();
    giveBack();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      leave();
    }
    move(event);
  };
  const onBlur = ({ currentTarget, relatedTarget }: FocusEvent<HTMLElement>) => {
    if (!currentTarget.contains(relatedTarget)) close();
  };
  return (
    <div ref={menu} role="menu" aria-label={label} className="canvas-menu" tabIndex={-1} {...{ onKeyDown, onBlur }}>
      {items.map((item) => (
        <Item
          key={item.name}
          item={item}
          choose={() => {
            leave();
            item.act();
          }}
        />
      ))}
    </div>
  );
}

function Item({ item: { name, keys, isOff, isChosen }, choose }: { item: MenuItem; choose: () => void }) {
  return (
    <button
      type="button"
      {...roleOf(isChosen)}
      aria-disabled={isOff || undefined}
      tabIndex={-1}
      onClick={() => isOff || choose()}
    >
      <span>{name}</span>
      {keys && <kbd>{keys}</kbd>}
    </button>
  );
}

function roleOf(isChosen: boolean | undefined) {
  return isChosen === undefined ? { role: "menuitem" } : { role: "menuitemradio", "aria-checked": isChosen };
}

/** The focus goes to the chosen item or the first one; gives what brings it back. */
function useFocusInside(menu: RefObject<HTMLElement | null>): () => void {
  const before = useRef<Element | null>(null);
  useEffect(() => {
    before.current = document.activeElement;
    const chosen =
      menu.current?.querySelector<HTMLElement>("[aria-checked=true]") ?? menu.current?.querySelector("button");
    chosen?.focus();
  }, [menu]);
  return () => before.current instanceof HTMLElement && before.current.focus();
}

function move(event: KeyboardEvent<HTMLElement>): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("button")];
  const here = items.indexOf(document.activeElement as HTMLElement);
  const next: Record<string, number> = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 };
  const index = next[event.key];
  if (index === undefined) return;
  event.preventDefault();
  items.at(index % items.length)?.focus();
}

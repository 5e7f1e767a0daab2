// How Tidy orders the nodes: chosen here, kept in the document.

import { type MouseEvent, useState } from "react";
import { DIRECTIONS, type Direction, directionOf } from "../document/canvas-settings";
import type { Place } from "../document/parts";
import { useWork } from "../work";
import { Menu } from "./menu";

export function LayoutMenu({ tidy }: { tidy: (direction: Direction) => void }) {
  const { document } = useWork();
  const [at, setAt] = useState<Place | null>(null);
  const chosen = directionOf(document);
  const items = Object.entries(DIRECTIONS).map(([direction, name]) => ({
    name,
    isChosen: direction === chosen,
    act: () => tidy(direction as Direction),
  }));
  const toggle = ({ currentTarget }: MouseEvent) => {
    const { left, bottom } = currentTarget.getBoundingClientRect();
    setAt(at ? null : { x: left, y: bottom + 4 });
  };
  return (
    <>
      <button
        type="button"
        className="button quiet"
        title="Layout: in rows, in one row or from top to bottom"
        aria-haspopup="menu"
        aria-expanded={!!at}
        // The focus stays in an open menu, which otherwise would close before the click that closes it.
        onPointerDown={(event) => at && event.preventDefault()}
        onClick={toggle}
      >
        Layout ▾
      </button>
      {at && <Menu label="Layout" items={items} at={at} close={() => setAt(null)} />}
    </>
  );
}

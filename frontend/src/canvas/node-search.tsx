// One of many nodes, chosen by typing a part of its name: a combobox as the ARIA practices describe it.

import { type KeyboardEvent, useId, useState } from "react";
import { type NodeView, nameOf } from "../document/parts";

type Props = {
  label: string;
  placeholder?: string;
  nodes: NodeView[];
  /** Whether what a node is configured with counts, too. */
  isDeep?: boolean;
  choose: (node: NodeView) => void;
  /** Called with each node that the arrow keys come to. */
  look?: (node: NodeView) => void;
  leave?: () => void;
};

type Search = ReturnType<typeof useNodeSearch>;

export function NodeSearch(props: Props) {
  const { label, placeholder } = props;
  const id = useId();
  const search = useNodeSearch(props);
  const { typed, found, active, isOpen } = search;
  return (
    <div className="node-search">
      <input
        type="text"
        role="combobox"
        autoComplete="off"
        spellCheck={false}
        aria-label={label}
        placeholder={placeholder}
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && found[active] ? `${id}-${active}` : undefined}
        value={typed}
        onChange={(event) => search.type(event.target.value)}
        onFocus={() => search.setOpen(true)}
        onBlur={() => search.setOpen(false)}
        onKeyDown={(event) => onKey(event, search)}
      />
      <Found id={id} label={label} search={search} />
    </div>
  );
}

function Found({
  id,
  label,
  search: { found, active, isOpen, typed, take },
}: {
  id: string;
  label: string;
  search: Search;
}) {
  return (
    <>
      <p aria-live="polite" className="unseen">
        {typed && isOpen && `${found.length} node${found.length === 1 ? "" : "s"}`}
      </p>
      <div id={`${id}-list`} role="listbox" aria-label={label} className="options" hidden={!isOpen}>
        {found.map((node, index) => (
          <Option
            key={node.key}
            id={`${id}-${index}`}
            node={node}
            isActive={index === active}
            take={() => take(node)}
          />
        ))}
        {!found.length && <p className="muted small">No node is called that.</p>}
      </div>
    </>
  );
}

type OptionProps = { id: string; node: NodeView; isActive: boolean; take: () => void };

function Option({ id, node, isActive, take }: OptionProps) {
  return (
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={isActive}
      ref={(each) => (isActive ? each?.scrollIntoView({ block: "nearest" }) : undefined)}
      onPointerDown={(event) => {
        // The input keeps the focus until something is chosen.
        event.preventDefault();
        take();
      }}
    >
      <span>{nameOf(node)}</span> <code>{node.id}</code>
    </div>
  );
}

function useNodeSearch({ nodes, isDeep, choose, look, leave }: Props) {
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(-1);
  const [isOpen, setOpen] = useState(false);
  const found = nodes.filter((node) => fits(node, typed, isDeep));
  const go = (index: number, among: NodeView[]) => {
    setOpen(true);
    setActive(index);
    if (among[index]) look?.(among[index]);
  };
  const type = (text: string) => {
    const fitting = nodes.filter((node) => fits(node, text, isDeep));
    setTyped(text);
    go(text ? 0 : -1, fitting);
  };
  const shut = () => {
    setTyped("");
    setActive(-1);
    setOpen(false);
  };
  return {
    typed,
    found,
    active,
    isOpen,
    type,
    setOpen,
    move: (by: 1 | -1) => go(nextOf(active, by, found.length), found),
    take: (node: NodeView) => {
      shut();
      choose(node);
    },
    leave: () => {
      shut();
      leave?.();
    },
  };
}

/** The options are a ring; before the first step none of them is active. */
function nextOf(active: number, by: 1 | -1, count: number): number {
  return active < 0 && by < 0 ? count - 1 : (active + by + count) % (count || 1);
}

function fits(node: NodeView, typed: string, isDeep = false): boolean {
  const texts = [nameOf(node), node.id, node.type, isDeep ? JSON.stringify(node.config) : ""];
  return texts.join("\n").toLowerCase().includes(typed.trim().toLowerCase());
}

function onKey(event: KeyboardEvent, search: Search): void {
  const step = ({ ArrowDown: 1, ArrowUp: -1 } as const)[event.key];
  const chosen = search.found[search.active];
  if (step) search.move(step);
  else if (event.key === "Enter" && chosen) search.take(chosen);
  else if (event.key === "Escape" && (search.isOpen || search.typed)) search.leave();
  else return;
  event.preventDefault();
  // The panel would take Escape as its own.
  event.stopPropagation();
}

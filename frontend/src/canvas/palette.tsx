// The kinds of nodes, by category: a click adds one, or it is dragged to its place.

import { useState } from "react";
import { spoken } from "../document/config-fields";
import type { Kind } from "../server/page";
import { useWork } from "../work";
import { startDrag } from "./drops";

const CATEGORIES: Record<string, string> = {
  entry: "Entries",
  llm: "Answers",
  logic: "Logic",
  data: "Data",
  tool: "Tools",
  human: "People",
  queue: "Queues",
  compute: "Compute",
  flow: "Flows",
};

type Add = (kind: string) => void;

/** `isBehind`: the node is wanted at the end of an edge, where no entry can stand. */
export function Palette({ add, isBehind }: { add: Add; isBehind?: boolean }) {
  const { page } = useWork();
  const [search, setSearch] = useState("");
  const fits = (...texts: string[]) => texts.join("\n").toLowerCase().includes(search.trim().toLowerCase());
  const offered = page.kinds.filter((kind) => !isBehind || kind.category !== "entry");
  const kinds = offered.filter((kind) => fits(kind.kind, kind.label, kind.summary));
  const missing = Object.entries(page.unavailable).filter(([kind, why]) => fits(kind, why));
  const categories = [...new Set(kinds.map((kind) => kind.category))];
  return (
    <div className="palette">
      <input
        type="search"
        aria-label="Search node kinds"
        placeholder="Search"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {categories.map((category) => (
        <Category
          key={category}
          category={category}
          kinds={kinds.filter((kind) => kind.category === category)}
          add={add}
        />
      ))}
      {missing.length > 0 && <Unavailable kinds={missing} isOpen={!!search} />}
      {!kinds.length && !missing.length && <p className="muted small">No kind is called that.</p>}
    </div>
  );
}

function Category({ category, kinds, add }: { category: string; kinds: Kind[]; add: Add }) {
  return (
    <section aria-labelledby={`category-${category}`}>
      <p className="category" id={`category-${category}`}>
        {CATEGORIES[category] ?? spoken(category)}
      </p>
      <ul>
        {kinds.map((kind) => (
          <li key={kind.kind}>
            <Item kind={kind} add={add} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Item({ kind, add }: { kind: Kind; add: Add }) {
  return (
    <button
      type="button"
      className={`kind ${kind.kind.split("_")[0]}`}
      title={kind.summary}
      draggable
      onDragStart={(event) => startDrag(event, kind.kind)}
      onClick={() => add(kind.kind)}
    >
      <span className="unseen">Add </span>
      <span>{kind.label}</span>
      <code>{kind.kind}</code>
    </button>
  );
}

/** Kinds of the language that do not run in this installation, each with the reason. */
function Unavailable({ kinds, isOpen }: { kinds: [kind: string, why: string][]; isOpen: boolean }) {
  return (
    <details open={isOpen || undefined}>
      <summary>
        Not available here <span className="muted">{kinds.length}</span>
      </summary>
      <ul>
        {kinds.map(([kind, why]) => (
          <li key={kind}>
            <button type="button" className="kind" aria-disabled="true" aria-describedby={`why-${kind}`}>
              <code>{kind}</code>
            </button>
            <p className="help" id={`why-${kind}`}>
              {why.charAt(0).toUpperCase() + why.slice(1)}.
            </p>
          </li>
        ))}
      </ul>
    </details>
  );
}

// The kinds of nodes, by category: a click adds one, or it is dragged to its place.

import { useState } from "react";
import { spoken } from "../document/config-fields";
import type { Kind } from "../server/page";
import { useWork } from "../state";
import { DRAGGED } from "./canvas";

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

export function Palette({ add }: { add: (kind: string) => void }) {
  const { page } = useWork();
  const [search, setSearch] = useState("");
  const fits = (...texts: string[]) => texts.join("\n").toLowerCase().includes(search.trim().toLowerCase());
  const kinds = page.kinds.filter((kind) => fits(kind.kind, kind.label, kind.summary));
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
        <section key={category} aria-labelledby={`category-${category}`}>
          <p className="category" id={`category-${category}`}>
            {CATEGORIES[category] ?? spoken(category)}
          </p>
          <ul>
            {kinds
              .filter((kind) => kind.category === category)
              .map((kind) => (
                <li key={kind.kind}>
                  <Item kind={kind} add={add} />
                </li>
              ))}
          </ul>
        </section>
      ))}
      {missing.length > 0 && (
        <details open={!!search || undefined}>
          <summary>
            Not available here <span className="muted">{missing.length}</span>
          </summary>
          <ul>
            {missing.map(([kind, why]) => (
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
      )}
      {!kinds.length && !missing.length && <p className="muted small">No kind is called that.</p>}
    </div>
  );
}

function Item({ kind, add }: { kind: Kind; add: (kind: string) => void }) {
  return (
    <button
      type="button"
      className={`kind ${kind.kind.split("_")[0]}`}
      title={kind.summary}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.setData(DRAGGED, kind.kind);
        event.dataTransfer.effectAllowed = "copy";
      }}
      onClick={() => add(kind.kind)}
    >
      <span className="unseen">Add </span>
      <span>{kind.label}</span>
      <code>{kind.kind}</code>
    </button>
  );
}

// What the flow can do for its callers: what its nodes show, and what only the one who chose the models can say.

import { at, listOf, put } from "../document/json";
import { CheckField } from "../fields/check-field";
import { useWork } from "../work";

const PATH = ["config", "capabilities"];

/** `able`: what the server found in the document as it is; nothing while the document has errors. */
export function Capabilities({ able }: { able: string[] | null }) {
  const { page, document, edit, isReadOnly } = useWork();
  const declared = listOf(at(document, PATH));
  const declare = (name: string, isAble: boolean) => {
    const others = declared.filter((each) => each !== name);
    edit(put(document, PATH, isAble ? [...others, name] : others), PATH.join("."));
  };
  return (
    <details className="more">
      <summary>
        Capabilities <span className="muted">{able ? able.length : ""}</span>
      </summary>
      <p className="help">What callers may ask for besides a text. All else of this kind is refused.</p>
      {page.capabilities.map(({ name, label, is_declared }) => (
        <CheckField
          key={name}
          label={label}
          help={is_declared ? undefined : shownByNodes(name, able)}
          isDisabled={isReadOnly || !is_declared}
          value={declared.includes(name) || Boolean(able?.includes(name))}
          onChange={(isAble) => declare(name, isAble)}
        />
      ))}
    </details>
  );
}

function shownByNodes(name: string, able: string[] | null): string {
  if (!able) return "Seen in the nodes, once the flow has no errors.";
  return able.includes(name) ? "Seen in the nodes of the flow." : "No: see the nodes that write the response.";
}

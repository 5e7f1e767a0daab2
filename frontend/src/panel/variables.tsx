// The flow's variables: named slots of its memory.

import { type Json, type JsonObject, textOf } from "../document/json";
import { AnyField } from "../fields/any-field";
import { ChoiceField } from "../fields/choice-field";
import { TextField } from "../fields/text-field";
import { useWork } from "../work";
import { useEntries } from "./entries";

export function Variables() {
  const { isReadOnly } = useWork();
  const { entries, add, drop, change } = useEntries(["variables"]);
  return (
    <details className="more" open={entries.length > 0}>
      <summary>
        Variables <span className="muted">{entries.length}</span>
      </summary>
      <p className="help">
        Named slots of memory; nodes read them as <code>state.name</code>.
      </p>
      {entries.map((variable, index) => (
        <Variable
          key={index}
          variable={variable}
          name={textOf(variable.name) || `variable ${index + 1}`}
          change={(key, value) => change(index, key, value)}
          drop={() => drop(index)}
        />
      ))}
      {!isReadOnly && (
        <button type="button" className="button quiet" onClick={() => add({ name: "", type: "string" })}>
          Add a variable
        </button>
      )}
    </details>
  );
}

type Props = {
  variable: JsonObject;
  name: string;
  change: (key: string, value: Json | undefined) => void;
  drop: () => void;
};

function Variable({ variable, name, change, drop }: Props) {
  const { page, isReadOnly } = useWork();
  return (
    <fieldset className="part" disabled={isReadOnly}>
      <legend className="unseen">{name}</legend>
      <TextField label="Variable name" value={textOf(variable.name)} onChange={(value) => change("name", value)} />
      <ChoiceField
        label="Type"
        value={textOf(variable.type) || "any"}
        choices={page.variable_types.map((type) => [type, type])}
        onChange={(value) => change("type", value)}
      />
      <AnyField label="Default" value={variable.default} onChange={(value) => change("default", value)} />
      <button type="button" className="button quiet" onClick={drop}>
        Remove {name}
      </button>
    </fieldset>
  );
}

// The language models that the flow's nodes name by their roles.

import { type Json, type JsonObject, textOf } from "../document/json";
import { JsonField } from "../fields/json-field";
import { NumberField } from "../fields/number-field";
import { TextField } from "../fields/text-field";
import type { Tenant } from "../session/tenant";
import { useWork } from "../work";
import { useEntries } from "./entries";

const MODELS = ["config", "core_identity", "models"];

export function Models({ tenant: { providers, models } }: { tenant: Tenant }) {
  const { isReadOnly } = useWork();
  const { entries, add, drop, change } = useEntries(MODELS);
  const newRole = entries.length ? `model_${entries.length + 1}` : "main";
  return (
    <details className="more" open={entries.length > 0}>
      <summary>
        Language models <span className="muted">{entries.length}</span>
      </summary>
      <p className="help">Nodes name a model by its role; the first one is the standard.</p>
      {entries.map((model, index) => (
        <Model
          key={index}
          model={model}
          role={textOf(model.role) || `model ${index + 1}`}
          providers={providers}
          listed={models[textOf(model.ref)]}
          change={(key, value) => change(index, key, value)}
          drop={() => drop(index)}
        />
      ))}
      {!isReadOnly && (
        <button
          type="button"
          className="button quiet"
          onClick={() => add({ role: newRole, ref: providers[0] ?? "", model: "" })}
        >
          Add a model
        </button>
      )}
    </details>
  );
}

function isUnlisted(name: string, listed: string[] | undefined): boolean {
  return !!name && !!listed && !listed.includes(name);
}

type Props = {
  model: JsonObject;
  role: string;
  providers: string[];
  /** What the provider's server lists, where it does. */
  listed: string[] | undefined;
  change: (key: string, value: Json | undefined) => void;
  drop: () => void;
};

function Model({ model, role, providers, listed, change, drop }: Props) {
  const { isReadOnly } = useWork();
  const text = (key: string) => ({ value: textOf(model[key]), onChange: (value: string) => change(key, value) });
  const json = (key: string) => ({
    value: model[key],
    onChange: (value: Json | undefined) => change(key, value),
  });
  return (
    <fieldset className="part" disabled={isReadOnly}>
      <legend className="unseen">{role}</legend>
      <TextField label="Role" {...text("role")} />
      <TextField
        label="Provider"
        options={providers}
        help="A model provider of this tenant or of the installation."
        {...text("ref")}
      />
      <TextField
        label="Model of the provider"
        options={listed}
        help={listed && `One of the ${listed.length} that the provider lists.`}
        warning={isUnlisted(textOf(model.model), listed) ? "The provider does not list this model." : undefined}
        {...text("model")}
      />
      <NumberField label="Temperature" {...json("temperature")} />
      <TextField
        label="System text"
        isLong
        value={textOf(model.system_context)}
        onChange={(value) => change("system_context", value || undefined)}
      />
      <JsonField
        label="Fallback"
        help='Tried in order when the model fails: [{"ref": "…", "model": "…"}].'
        {...json("fallback")}
      />
      <button type="button" className="button quiet" onClick={drop}>
        Remove {role}
      </button>
    </fieldset>
  );
}

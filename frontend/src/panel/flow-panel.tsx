// Flow properties: what the whole flow is called, who may call it, what it remembers, which models it uses.

import { at, isObject, type Json, type JsonObject, listOf, objectOf, put, textOf, without } from "../document/json";
import { descriptionIn, nameIn } from "../document/save-request";
import { AnyField, CheckField, ChoiceField, JsonField, NumberField, TextField } from "../fields/fields";
import { GroupsField } from "../fields/groups-field";
import type { Group } from "../server/page";
import { useWork } from "../state";

const META = ["config", "scaiflow_meta"];
const MODELS = ["config", "core_identity", "models"];
const MODES: [string, string][] = [
  ["stateless", "Stateless: every call stands alone"],
  ["entity", "Entity: one memory for each entity_id"],
  ["singleton", "Singleton: one memory for all calls"],
];
const SCOPES: [string, string][] = [
  ["user", "Each user has entities of their own"],
  ["tenant", "The tenant shares its entities"],
];

export function FlowPanel({
  groups,
  providers,
  nameError,
}: {
  groups: Group[] | null;
  providers: string[];
  nameError: string;
}) {
  const { document, edit, page, isReadOnly } = useWork();
  const set = (path: string[], value: Json | undefined) => edit(put(document, path, value), path.join("."));
  const publishes = at(document, ["config", "publish_as_model"]) === true;
  const mode = textOf(at(document, [...META, "instance_mode"])) || "stateless";
  const isDisabled = isReadOnly;
  return (
    <>
      <TextField
        label="Name"
        id="flow-name"
        isDisabled={isDisabled}
        value={nameIn(document)}
        error={nameError}
        onChange={(value) => set(["name"], value)}
      />
      <TextField
        label="Description"
        isLong
        isDisabled={isDisabled}
        value={descriptionIn(document)}
        onChange={(value) => set(["metadata", "description"], value)}
      />
      <CheckField
        label="Publish as chat model"
        isDisabled={isDisabled}
        value={publishes}
        onChange={(value) => set(["config", "publish_as_model"], value)}
      />
      {!isReadOnly && (
        <div className="indented" hidden={!publishes}>
          <GroupsField
            value={at(document, ["config", "model_visibility_group_ids"])}
            onChange={(ids) => set(["config", "model_visibility_group_ids"], ids)}
            groups={groups}
            tenant={page.tenant_name}
            isDisabled={isDisabled}
          />
        </div>
      )}
      <ChoiceField
        label="Instance mode"
        isDisabled={isDisabled}
        value={mode}
        choices={MODES}
        onChange={(value) => set([...META, "instance_mode"], value)}
      />
      {mode === "entity" && (
        <div className="indented">
          <ChoiceField
            label="Entity scope"
            isDisabled={isDisabled}
            value={textOf(at(document, [...META, "entity_scope"])) || "user"}
            choices={SCOPES}
            onChange={(value) => set([...META, "entity_scope"], value)}
          />
        </div>
      )}
      <Variables isDisabled={isDisabled} />
      <Models providers={providers} isDisabled={isDisabled} />
      <details className="more">
        <summary>More</summary>
        <Switch
          path={[...META, "tracing"]}
          standard={false}
          label="Keep what nodes did"
          help="Shows each node's result, up to 4 KB, in the run view."
        />
        <Switch
          path={[...META, "recognise_hidden_prompts"]}
          standard
          label="Recognise hidden prompts"
          help="Keeps the titles and tags that front ends ask for behind the user's back out of memory."
        />
        <JsonField
          label="Whole configuration"
          help="As JSON. What this editor has no field for is kept."
          isObjectOnly
          isDisabled={isDisabled}
          value={objectOf(document.config)}
          onChange={(value) => set(["config"], value)}
        />
      </details>
    </>
  );
}

function Switch({ path, standard, label, help }: { path: string[]; standard: boolean; label: string; help: string }) {
  const { document, edit, isReadOnly } = useWork();
  const value = at(document, path);
  return (
    <CheckField
      label={label}
      help={help}
      isDisabled={isReadOnly}
      value={typeof value === "boolean" ? value : standard}
      onChange={(checked) => edit(put(document, path, checked))}
    />
  );
}

/** A list inside the document whose entries are edited where they stand. */
function useEntries(path: string[]) {
  const { document, edit } = useWork();
  const entries = listOf(at(document, path));
  const set = (list: Json[], tag?: string) => edit(put(document, path, list), tag);
  return {
    entries: entries.map(objectOf),
    add: (entry: JsonObject) => set([...entries, entry]),
    drop: (place: number) => set(entries.filter((_, index) => index !== place)),
    change: (place: number, key: string, value: Json | undefined) =>
      set(
        entries.map((entry, index) => (index === place ? changed(entry, key, value) : entry)),
        `${path.join(".")}.${place}.${key}`,
      ),
  };
}

function changed(entry: Json, key: string, value: Json | undefined): JsonObject {
  const held = isObject(entry) ? entry : {};
  return value === undefined ? without(held, key) : { ...held, [key]: value };
}

function Variables({ isDisabled }: { isDisabled: boolean }) {
  const { page } = useWork();
  const { entries, add, drop, change } = useEntries(["variables"]);
  return (
    <details className="more" open={entries.length > 0}>
      <summary>
        Variables <span className="muted">{entries.length}</span>
      </summary>
      <p className="help">
        Named slots of memory; nodes read them as <code>state.name</code>.
      </p>
      {entries.map((variable, place) => {
        const name = textOf(variable.name) || `variable ${place + 1}`;
        return (
          <fieldset className="part" key={place} disabled={isDisabled}>
            <legend className="unseen">{name}</legend>
            <TextField
              label="Variable name"
              value={textOf(variable.name)}
              onChange={(value) => change(place, "name", value)}
            />
            <ChoiceField
              label="Type"
              value={textOf(variable.type) || "any"}
              choices={page.variable_types.map((type) => [type, type])}
              onChange={(value) => change(place, "type", value)}
            />
            <AnyField label="Default" value={variable.default} onChange={(value) => change(place, "default", value)} />
            <button type="button" className="button quiet" onClick={() => drop(place)}>
              Remove {name}
            </button>
          </fieldset>
        );
      })}
      {!isDisabled && (
        <button type="button" className="button quiet" onClick={() => add({ name: "", type: "string" })}>
          Add a variable
        </button>
      )}
    </details>
  );
}

function Models({ providers, isDisabled }: { providers: string[]; isDisabled: boolean }) {
  const { entries, add, drop, change } = useEntries(MODELS);
  return (
    <details className="more" open={entries.length > 0}>
      <summary>
        Language models <span className="muted">{entries.length}</span>
      </summary>
      <p className="help">Nodes name a model by its role; the first one is the standard.</p>
      {entries.map((model, place) => {
        const role = textOf(model.role) || `model ${place + 1}`;
        const text = (
          key: string,
          label: string,
          more: { help?: string; options?: string[]; isLong?: boolean } = {},
        ) => (
          <TextField
            label={label}
            {...more}
            value={textOf(model[key])}
            onChange={(value) => change(place, key, value || (key === "system_context" ? undefined : ""))}
          />
        );
        return (
          <fieldset className="part" key={place} disabled={isDisabled}>
            <legend className="unseen">{role}</legend>
            {text("role", "Role")}
            {text("ref", "Provider", {
              options: providers,
              help: "The ref of a model provider of this tenant or of the installation.",
            })}
            {text("model", "Model of the provider")}
            <NumberField
              label="Temperature"
              value={model.temperature}
              onChange={(value) => change(place, "temperature", value)}
            />
            {text("system_context", "System text", { isLong: true })}
            <JsonField
              label="Fallback"
              help='Tried in order when the model fails: [{"ref": "…", "model": "…"}].'
              value={model.fallback}
              onChange={(value) => change(place, "fallback", value)}
            />
            <button type="button" className="button quiet" onClick={() => drop(place)}>
              Remove {role}
            </button>
          </fieldset>
        );
      })}
      {!isDisabled && (
        <button
          type="button"
          className="button quiet"
          onClick={() =>
            add({ role: entries.length ? `model_${entries.length + 1}` : "main", ref: providers[0] ?? "", model: "" })
          }
        >
          Add a model
        </button>
      )}
    </details>
  );
}

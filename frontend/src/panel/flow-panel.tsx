// Flow properties: what the whole flow is called, who may call it, what it remembers, which models it uses.

import { at, type Json, objectOf, put, textOf } from "../document/json";
import { PROPERTIES, type PropertyName } from "../document/properties";
import { descriptionIn, nameIn } from "../document/save-request";
import { CheckField } from "../fields/check-field";
import { ChoiceField } from "../fields/choice-field";
import { GroupsField } from "../fields/groups-field";
import { JsonField } from "../fields/json-field";
import { TextField } from "../fields/text-field";
import type { Group, Page } from "../server/page";
import type { Tenant } from "../session/tenant";
import { useWork } from "../work";
import { Capabilities } from "./capabilities";
import { Models } from "./models";
import { TagsField } from "./tags-field";
import { Variables } from "./variables";

const META = ["config", "scaiflow_meta"];

type Props = {
  tenant: Tenant;
  nameError: string;
  able: string[] | null;
};

export function FlowPanel({ tenant, nameError, able }: Props) {
  return (
    <>
      <Names nameError={nameError} />
      <Tags />
      <Slug />
      <Access groups={tenant.groups} />
      <Memory />
      <Choice name="readers" />
      <Variables />
      <Models tenant={tenant} />
      <Capabilities able={able} />
      <More />
    </>
  );
}

/** The value of a property in the document, and what its field needs besides. */
function useProperty<Name extends PropertyName>(name: Name) {
  const { page, document, edit, isReadOnly } = useWork();
  const path = PROPERTIES[name];
  return {
    value: at(document, path),
    property: page.properties[name] as Page["properties"][Name],
    set: (value: Json) => edit(put(document, path, value), path.join(".")),
    isDisabled: isReadOnly,
  };
}

function Names({ nameError }: { nameError: string }) {
  const { document } = useWork();
  const name = useProperty("name");
  const description = useProperty("description");
  return (
    <>
      <TextField
        label={name.property.label}
        id="flow-name"
        isDisabled={name.isDisabled}
        value={nameIn(document)}
        error={nameError}
        onChange={name.set}
      />
      <TextField
        label={description.property.label}
        isLong
        isDisabled={description.isDisabled}
        value={descriptionIn(document)}
        onChange={description.set}
      />
    </>
  );
}

function Tags() {
  const { value, property, set, isDisabled } = useProperty("tags");
  return <TagsField label={property.label} help={property.help} isDisabled={isDisabled} value={value} onChange={set} />;
}

/** The last part of the model's name: to be chosen before the first deploy, and fixed from then on. */
function Slug() {
  const { value, property, set, isDisabled } = useProperty("slug");
  return (
    property && (
      <TextField
        label={property.label}
        help={property.help}
        isDisabled={isDisabled}
        value={textOf(value)}
        onChange={set}
      />
    )
  );
}

function Access({ groups }: { groups: Group[] | null }) {
  const publish = useProperty("publish");
  const { value, property, set, isDisabled } = useProperty("groups");
  const isPublished = publish.value === true;
  return (
    <>
      <CheckField
        label={publish.property.label}
        isDisabled={publish.isDisabled}
        value={isPublished}
        onChange={publish.set}
      />
      {!isDisabled && (
        // Hidden, not taken away: what was typed is there again when the box is ticked once more.
        <div className="indented" hidden={!isPublished}>
          <GroupsField value={value} onChange={set} groups={groups} property={property} isDisabled={isDisabled} />
        </div>
      )}
    </>
  );
}

function Memory() {
  const { document } = useWork();
  const isEntity = at(document, PROPERTIES.instance_mode) === "entity";
  return (
    <>
      <Choice name="instance_mode" />
      {isEntity && (
        <div className="indented">
          <Choice name="entity_scope" />
        </div>
      )}
    </>
  );
}

/** A property with fixed choices, of which the first is the one of a document that names none. */
function Choice({ name }: { name: "instance_mode" | "entity_scope" | "readers" }) {
  const { value, property, set, isDisabled } = useProperty(name);
  const { label, help, choices } = property;
  return (
    <ChoiceField
      label={label}
      help={help}
      isDisabled={isDisabled}
      value={textOf(value) || choices[0]![0]}
      choices={choices}
      onChange={set}
    />
  );
}

function More() {
  const { page, document, edit, isReadOnly } = useWork();
  return (
    <details className="more">
      <summary>More</summary>
      <Switch
        path={[...META, "tracing"]}
        standard={false}
        label="Keep what nodes did"
        help={keptFor(page.trace_days)}
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
        isDisabled={isReadOnly}
        value={objectOf(document.config)}
        onChange={(value) => edit(put(document, ["config"], value), "config")}
      />
    </details>
  );
}

function keptFor(days: number): string {
  const what = "Each run keeps what was asked (up to 32 KB) and what its nodes read and gave (up to 4 KB each)";
  return `${what} for ${days} days. The caller and admins see it under Runs.`;
}

type SwitchProps = { path: string[]; standard: boolean; label: string; help: string };

function Switch({ path, standard, label, help }: SwitchProps) {
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

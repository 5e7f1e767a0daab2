// Flow properties: what the whole flow is called, who may call it, what it remembers, which models it uses.

import { at, type Json, objectOf, put, textOf } from "../document/json";
import { descriptionIn, nameIn } from "../document/save-request";
import { CheckField } from "../fields/check-field";
import { ChoiceField } from "../fields/choice-field";
import { GroupsField } from "../fields/groups-field";
import { JsonField } from "../fields/json-field";
import { TextField } from "../fields/text-field";
import type { Group } from "../server/page";
import { useWork } from "../work";
import { Models } from "./models";
import { Variables } from "./variables";

const META = ["config", "scaiflow_meta"];
const PUBLISHES = ["config", "publish_as_model"];
const GROUP_IDS = ["config", "model_visibility_group_ids"];
const MODES: [string, string][] = [
  ["stateless", "Stateless: every call stands alone"],
  ["entity", "Entity: one memory for each entity_id"],
  ["singleton", "Singleton: one memory for all calls"],
];
const SCOPES: [string, string][] = [
  ["user", "Each user has entities of their own"],
  ["tenant", "The tenant shares its entities"],
];

type Props = { tenant: { groups: Group[] | null; providers: string[] }; nameError: string };

export function FlowPanel({ tenant: { groups, providers }, nameError }: Props) {
  return (
    <>
      <Names nameError={nameError} />
      <Access groups={groups} />
      <Memory />
      <Variables />
      <Models providers={providers} />
      <More />
    </>
  );
}

function useProperties() {
  const { document, edit, isReadOnly } = useWork();
  const set = (path: string[], value: Json | undefined) => edit(put(document, path, value), path.join("."));
  return { document, set, isDisabled: isReadOnly };
}

function Names({ nameError }: { nameError: string }) {
  const { document, set, isDisabled } = useProperties();
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
    </>
  );
}

function Access({ groups }: { groups: Group[] | null }) {
  const { page } = useWork();
  const { document, set, isDisabled } = useProperties();
  const isPublished = at(document, PUBLISHES) === true;
  return (
    <>
      <CheckField
        label="Publish as chat model"
        isDisabled={isDisabled}
        value={isPublished}
        onChange={(value) => set(PUBLISHES, value)}
      />
      {!isDisabled && (
        // Hidden, not taken away: what was typed is there again when the box is ticked once more.
        <div className="indented" hidden={!isPublished}>
          <GroupsField
            value={at(document, GROUP_IDS)}
            onChange={(ids) => set(GROUP_IDS, ids)}
            groups={groups}
            tenant={page.tenant_name}
            isDisabled={isDisabled}
          />
        </div>
      )}
    </>
  );
}

function Memory() {
  const { document, set, isDisabled } = useProperties();
  const mode = textOf(at(document, [...META, "instance_mode"])) || "stateless";
  return (
    <>
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
    </>
  );
}

function More() {
  const { document, set, isDisabled } = useProperties();
  return (
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
  );
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

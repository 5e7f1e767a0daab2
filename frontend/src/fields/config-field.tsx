// The control for one field of a config. An emptied field that is not required leaves the config.

import type { Field } from "../document/config-fields";
import { isObject, type JsonObject, objectOf, put, textOf } from "../document/json";
import { ChoiceField } from "./choice-field";
import { CONTROLS, type Control, type ControlProps, isGroup, isText, type Suggestions } from "./config-controls";
import { GroupNote } from "./field";
import { JsonField } from "./json-field";
import type { MaybeJson, ValueProps } from "./written-value";

// Those that hold fields of their own.
const NESTING: Record<"group" | "either", Control> = {
  group: { fits: isGroup, Control: GroupControl },
  either: { fits: (value) => isText(value) || isObject(value), Control: WordOrObjectControl },
};

type Props = ValueProps & {
  field: Field;
  error?: string;
  warning?: string;
  isDisabled: boolean;
  suggestions: Suggestions;
};

export function ConfigField({ field, value, onChange, error, warning, isDisabled, suggestions }: Props) {
  const common = { label: field.label, help: helpOf(field), language: field.language, error, warning, isDisabled };
  const control = field.control === "json" ? undefined : { ...CONTROLS, ...NESTING }[field.control];
  if (!control?.fits(value, field))
    return <JsonField {...common} help={common.help ?? "As JSON."} value={value} onChange={onChange} />;
  const { Control } = control;
  return <Control field={field} value={value} onChange={onChange} common={common} suggestions={suggestions} />;
}

function helpOf({ help, example }: Field) {
  if (!example) return help || undefined;
  return (
    <>
      {help} Example: <code>{example}</code>
    </>
  );
}

/** An object inside the config. Emptied, it leaves the config. */
function GroupControl({ field, value, onChange, common, suggestions }: ControlProps) {
  const set = (changed: JsonObject) => onChange(Object.keys(changed).length || field.isRequired ? changed : undefined);
  return (
    <fieldset className="part" disabled={common.isDisabled}>
      <legend>{field.label}</legend>
      <GroupNote help={common.help} error={common.error} warning={common.warning} />
      <Parts
        fields={field.fields.map((each) => ({ ...each, isRequired: false }))}
        value={objectOf(value)}
        onChange={set}
        isDisabled={!!common.isDisabled}
        suggestions={suggestions}
      />
    </fieldset>
  );
}

const OBJECT = "{}";

/** One of some words, or an object with fields of its own. */
function WordOrObjectControl({ field, value, onChange, common, suggestions }: ControlProps) {
  const words = field.choices.map((choice): [string, string] => [textOf(choice), textOf(choice)]);
  const choose = (word: string) => {
    if (word === OBJECT) onChange(Object.fromEntries(field.fields.map((each) => [each.name, ""])));
    else onChange(word === field.standard ? undefined : word);
  };
  return (
    <>
      <ChoiceField
        {...common}
        value={isObject(value) ? OBJECT : textOf(value ?? field.standard)}
        choices={[...words, [OBJECT, field.fields[0]?.label ?? "Other"]]}
        onChange={choose}
      />
      {isObject(value) && (
        <Parts
          fields={field.fields}
          value={value}
          onChange={onChange}
          isDisabled={!!common.isDisabled}
          suggestions={suggestions}
        />
      )}
    </>
  );
}

type PartsProps = {
  fields: Field[];
  value: JsonObject;
  onChange: (value: JsonObject) => void;
  isDisabled: boolean;
  suggestions: Suggestions;
};

function Parts({ fields, value, onChange, isDisabled, suggestions }: PartsProps) {
  const set = (name: string, given: MaybeJson) => onChange(put(value, [name], given));
  return fields.map((each) => (
    <ConfigField
      key={each.name}
      field={each}
      value={value[each.name]}
      isDisabled={isDisabled}
      suggestions={suggestions}
      onChange={(given) => set(each.name, given)}
    />
  ));
}

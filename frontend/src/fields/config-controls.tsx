// The controls for the values of a config, and which values each of them fits.

import type { ReactNode } from "react";
import type { Field } from "../document/config-fields";
import { equal, isObject, type Json, type JsonObject, listOf, objectOf, textOf } from "../document/json";
import { AnyField, TextOrNumberField } from "./any-field";
import { CheckField } from "./check-field";
import { ChoiceField } from "./choice-field";
import type { FieldProps } from "./field";
import { NumberField } from "./number-field";
import { PairsField, TextsField } from "./rows";
import { TextField } from "./text-field";
import type { MaybeJson, ValueProps } from "./written-value";

/** By the name of the field: names that the document has, to choose from. */
export type Suggestions = Record<string, string[]>;

/** `common` is what the control hands on to the form field that it is made of. */
export type ControlProps = ValueProps & { field: Field; common: FieldProps; suggestions: Suggestions };
export type Control = {
  /** Whether the control can show the value: other tools may have written one that it cannot. */
  fits: (value: MaybeJson, field: Field) => boolean;
  Control: (props: ControlProps) => ReactNode;
};

const isUnset = (value: MaybeJson) => value === undefined || value === null;
const isString = (value: unknown) => typeof value === "string";
export const isText = (value: MaybeJson) => isUnset(value) || isString(value);
export const isGroup = (value: MaybeJson) => isUnset(value) || isObject(value);

export const CONTROLS: Record<Exclude<Field["control"], "group" | "either" | "json">, Control> = {
  text: { fits: isText, Control: TextControl },
  long: { fits: isText, Control: TextControl },
  any: { fits: () => true, Control: AnyControl },
  loose: { fits: (value) => isText(value) || typeof value === "number", Control: TextOrNumberControl },
  choice: { fits: (value, field) => isText(value) || field.choices.includes(value!), Control: ChoiceControl },
  number: { fits: (value) => isUnset(value) || typeof value === "number", Control: NumberControl },
  check: { fits: (value) => isUnset(value) || typeof value === "boolean", Control: CheckControl },
  texts: { fits: (value) => isUnset(value) || (Array.isArray(value) && value.every(isString)), Control: TextsControl },
  pairs: {
    fits: (value) => isGroup(value) && Object.values(objectOf(value)).every(isString),
    Control: PairsControl,
  },
};

function TextControl({ field, value, onChange, common, suggestions }: ControlProps) {
  return (
    <TextField
      {...common}
      value={textOf(value)}
      onChange={(typed) => onChange(typed === "" && !field.isRequired ? undefined : typed)}
      isLong={field.control === "long"}
      placeholder={standardOf(field)}
      options={suggestions[field.name]}
    />
  );
}

function AnyControl({ value, onChange, common }: ControlProps) {
  return <AnyField {...common} value={value} onChange={onChange} />;
}

function TextOrNumberControl({ value, onChange, common }: ControlProps) {
  return <TextOrNumberField {...common} value={value} onChange={onChange} />;
}

function NumberControl({ field, value, onChange, common }: ControlProps) {
  const help = common.help ?? (standardOf(field) || undefined);
  return <NumberField {...common} help={help} value={value} onChange={onChange} isInteger={field.isInteger} />;
}

function CheckControl({ field, value, onChange, common }: ControlProps) {
  return <CheckField {...common} value={(value ?? field.standard) === true} onChange={onChange} />;
}

function TextsControl({ field, value, onChange, common }: ControlProps) {
  const set = (texts: string[]) => onChange(texts.length || field.isRequired ? texts : undefined);
  return <TextsField {...common} value={listOf(value) as string[]} onChange={set} />;
}

function PairsControl({ field, value, onChange, common }: ControlProps) {
  const set = (pairs: JsonObject) => onChange(Object.keys(pairs).length || field.isRequired ? pairs : undefined);
  return <PairsField {...common} value={objectOf(value)} onChange={set} />;
}

/** The standard value is what is chosen as long as nothing is set. */
function ChoiceControl({ field, value, onChange, common }: ControlProps) {
  const { choices, standard, isRequired } = field;
  const unset = isUnset(standard) ? "Not set" : `${wordFor(standard!)} (standard)`;
  const others = choices.filter((choice) => isRequired || !equal(choice, standard) || equal(choice, value));
  return (
    <ChoiceField
      {...common}
      value={isUnset(value) ? "" : wordFor(value!)}
      choices={[
        ...(isRequired ? [] : [["", unset] as [string, string]]),
        ...others.map((choice): [string, string] => [wordFor(choice), wordFor(choice)]),
      ]}
      onChange={(word) => onChange(word === "" ? undefined : choices.find((choice) => wordFor(choice) === word))}
    />
  );
}

function wordFor(choice: Json): string {
  return typeof choice === "string" ? choice : JSON.stringify(choice);
}

/** What the field is when nothing is set; empty where that is nothing. */
function standardOf({ standard }: Field): string {
  const isEmpty = typeof standard === "object" && !Object.keys(standard ?? {}).length;
  return isUnset(standard) || standard === "" || isEmpty ? "" : `Standard: ${wordFor(standard!)}`;
}

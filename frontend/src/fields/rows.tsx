// Fields with a row for each of their entries, to be added to and taken from.

import { type ReactNode, useId } from "react";
import type { Language } from "../document/config-fields";
import { type Json, type JsonObject, textOf } from "../document/json";
import { type FieldProps, GroupNote } from "./field";
import { NamedText } from "./named-text";

type TextsProps = FieldProps & { value: string[]; onChange: (value: string[]) => void };

/** A list of texts, one row each. */
export function TextsField({ value, onChange, ...common }: TextsProps) {
  const { label, language } = common;
  const change = (index: number, text: string) => onChange(value.map((each, at) => (at === index ? text : each)));
  return (
    <Rows {...common} add={() => onChange([...value, ""])}>
      {value.map((each, index) => (
        <Row
          key={index}
          removeLabel={`Remove ${label} ${index + 1}`}
          remove={() => onChange(value.filter((_, at) => at !== index))}
        >
          <TextInput
            label={`${label} ${index + 1}`}
            value={each}
            language={language}
            onChange={(text) => change(index, text)}
          />
        </Row>
      ))}
    </Rows>
  );
}

type PairsProps = FieldProps & { value: JsonObject; onChange: (value: JsonObject) => void };

/** Names with a text each. A name that is already there is not taken a second time. */
export function PairsField({ value, onChange, ...common }: PairsProps) {
  const { label, language } = common;
  const pairs = Object.entries(value);
  const change = (index: number, pair: [string, Json]) => {
    const isTaken = pairs.some(([name], at) => at !== index && name === pair[0]);
    if (!isTaken) onChange(Object.fromEntries(pairs.map((each, at) => (at === index ? pair : each))));
  };
  return (
    <Rows {...common} isFull={"" in value} add={() => onChange({ ...value, "": "" })}>
      {pairs.map(([name, text], index) => (
        <Row
          key={index}
          removeLabel={`Remove ${name || index + 1} from ${label}`}
          remove={() => onChange(Object.fromEntries(pairs.filter((_, at) => at !== index)))}
        >
          <TextInput
            label={`${label}: name ${index + 1}`}
            value={name}
            onChange={(typed) => change(index, [typed, text])}
          />
          <TextInput
            label={`${label}: value of ${name || index + 1}`}
            value={textOf(text)}
            language={language}
            onChange={(typed) => change(index, [name, typed])}
          />
        </Row>
      ))}
    </Rows>
  );
}

type RowsProps = FieldProps & { add: () => void; isFull?: boolean; children: ReactNode };

function Rows({ label, help, error, warning, isDisabled, add, isFull, children }: RowsProps) {
  const id = useId();
  return (
    <fieldset className="rows" disabled={isDisabled} aria-describedby={help || error || warning ? id : undefined}>
      <legend>{label}</legend>
      {children}
      <button type="button" className="button quiet" disabled={isFull} onClick={add}>
        Add<span className="unseen"> to {label}</span>
      </button>
      <GroupNote id={id} help={help} error={error} warning={warning} />
    </fieldset>
  );
}

function Row({ removeLabel, remove, children }: { removeLabel: string; remove: () => void; children: ReactNode }) {
  return (
    <div className="row-edit">
      {children}
      <button type="button" className="button quiet" aria-label={removeLabel} onClick={remove}>
        ✕
      </button>
    </div>
  );
}

type InputProps = { label: string; value: string; language?: Language; onChange: (text: string) => void };

function TextInput({ label, value, language, onChange }: InputProps) {
  if (language) return <NamedText {...{ value, onChange, language }} attributes={{ "aria-label": label }} />;
  return <input type="text" aria-label={label} value={value} onChange={(event) => onChange(event.target.value)} />;
}

// Form fields: label above, help beneath, the error between them, all tied together for screen readers.

import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { Field } from "../document/config-fields";
import { equal, isObject, type Json, type JsonObject, listOf, objectOf, put, textOf } from "../document/json";
import { Prose } from "../shell/prose";

type Common = { label: string; help?: ReactNode; error?: string; warning?: string; id?: string; isDisabled?: boolean };

/** The attributes that tie an input to its help and error. */
function useTies({ id, help, error, warning, isDisabled }: Common) {
  const made = useId();
  const name = id ?? made;
  const described =
    [help && `${name}-help`, (error || warning) && `${name}-error`].filter(Boolean).join(" ") || undefined;
  return {
    id: name,
    disabled: isDisabled,
    "aria-describedby": described,
    "aria-invalid": error ? true : undefined,
  } as const;
}

function Around({ label, help, error, warning, name, children }: Common & { name: string; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={name}>{label}</label>
      {children}
      {(error || warning) && (
        <p className={error ? "error" : "warning"} id={`${name}-error`}>
          <Prose text={error || warning!} />
        </p>
      )}
      {help && (
        <p className="help" id={`${name}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

export type Suggestions = Record<string, string[]>;
type ConfigProps = {
  field: Field;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  error: string;
  warning: string;
  isDisabled: boolean;
  suggestions: Suggestions;
};

type TextProps = Common & {
  value: string;
  onChange: (value: string) => void;
  isLong?: boolean;
  isCode?: boolean;
  placeholder?: string;
  options?: string[];
  onKeyDown?: (event: KeyboardEvent) => void;
};

export function TextField({ value, onChange, isLong, isCode, placeholder, options, onKeyDown, ...common }: TextProps) {
  const ties = useTies(common);
  const shared = {
    ...ties,
    value,
    placeholder,
    className: isCode ? "code" : undefined,
    spellCheck: isCode ? false : undefined,
    onKeyDown,
  };
  return (
    <Around {...common} name={ties.id}>
      {isLong ? (
        <textarea
          {...shared}
          rows={Math.min(14, Math.max(3, value.split("\n").length + 1))}
          onChange={(event) => onChange(event.target.value)}
        />
      ) : (
        <input
          {...shared}
          type="text"
          list={options && `${ties.id}-options`}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
      {options && (
        <datalist id={`${ties.id}-options`}>
          {options.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
    </Around>
  );
}

export function ChoiceField({
  value,
  onChange,
  choices,
  ...common
}: Common & { value: string; onChange: (value: string) => void; choices: [string, string][] }) {
  const ties = useTies(common);
  const isKnown = choices.some(([each]) => each === value);
  return (
    <Around {...common} name={ties.id}>
      <select {...ties} value={value} onChange={(event) => onChange(event.target.value)}>
        {!isKnown && <option value={value}>{value || "—"}</option>}
        {choices.map(([each, label]) => (
          <option key={each} value={each}>
            {label}
          </option>
        ))}
      </select>
    </Around>
  );
}

export function CheckField({
  value,
  onChange,
  ...common
}: Common & { value: boolean; onChange: (value: boolean) => void }) {
  const ties = useTies(common);
  return (
    <div className="field check">
      <input {...ties} type="checkbox" checked={value} onChange={(event) => onChange(event.target.checked)} />
      <label htmlFor={ties.id}>{common.label}</label>
      {common.error && (
        <p className="error" id={`${ties.id}-error`}>
          {common.error}
        </p>
      )}
      {common.help && (
        <p className="help" id={`${ties.id}-help`}>
          {common.help}
        </p>
      )}
    </div>
  );
}

/** Text that stands for a value; while it cannot be read it stays as typed and the value as it was. */
function useWritten(
  value: Json | undefined,
  write: (value: Json | undefined) => string,
  read: (text: string) => Json | undefined,
  onChange: (value: Json | undefined) => void,
) {
  const [text, setText] = useState(() => write(value));
  const [error, setError] = useState("");
  const last = useRef(value);
  useEffect(() => {
    if (equal(last.current, value)) return;
    last.current = value;
    setText(write(value));
    setError("");
  }, [value, write]);
  const type = (typed: string) => {
    setText(typed);
    try {
      const found = read(typed);
      setError("");
      last.current = found;
      onChange(found);
    } catch (problem) {
      setError((problem as Error).message);
    }
  };
  return { text, error, type };
}

export function NumberField({
  value,
  onChange,
  isInteger,
  ...common
}: Common & { value: Json | undefined; onChange: (value: Json | undefined) => void; isInteger?: boolean }) {
  const { text, error, type } = useWritten(value, writeNumber, isInteger ? readInteger : readNumber, onChange);
  const ties = useTies({ ...common, error: error || common.error });
  return (
    <Around {...common} error={error || common.error} name={ties.id}>
      <input
        {...ties}
        type="text"
        inputMode={isInteger ? "numeric" : "decimal"}
        value={text}
        onChange={(event) => type(event.target.value)}
      />
    </Around>
  );
}

const writeNumber = (value: Json | undefined) =>
  value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);

function readNumber(text: string): Json | undefined {
  if (!text.trim()) return undefined;
  const number = Number(text);
  if (!Number.isFinite(number)) throw new Error("This is not a number.");
  return number;
}

function readInteger(text: string): Json | undefined {
  const number = readNumber(text);
  if (number !== undefined && !Number.isSafeInteger(number)) throw new Error("This is not a whole number.");
  return number;
}

export function JsonField({
  value,
  onChange,
  isObjectOnly,
  ...common
}: Common & { value: Json | undefined; onChange: (value: Json | undefined) => void; isObjectOnly?: boolean }) {
  const { text, error, type } = useWritten(value, writeJson, isObjectOnly ? readObject : readJson, onChange);
  const ties = useTies({ ...common, error: error || common.error });
  return (
    <Around {...common} error={error || common.error} name={ties.id}>
      <textarea
        {...ties}
        className="code"
        spellCheck={false}
        rows={Math.min(16, Math.max(2, text.split("\n").length))}
        value={text}
        onChange={(event) => type(event.target.value)}
      />
    </Around>
  );
}

/** Any value: what is JSON is taken as JSON, everything else as text. */
export function AnyField({
  value,
  onChange,
  ...common
}: Common & { value: Json | undefined; onChange: (value: Json | undefined) => void }) {
  const { text, error, type } = useWritten(value, writeAny, readAny, onChange);
  return (
    <TextField
      {...common}
      help={common.help ?? "Text, or JSON such as 5, true, [], {}. A number that is meant as text stands in quotes."}
      error={error || common.error}
      isLong
      value={text}
      onChange={type}
    />
  );
}

function writeAny(value: Json | undefined): string {
  return typeof value === "string" && !isJson(value) && !isStarted(value) ? value : writeJson(value);
}

function readAny(text: string): Json | undefined {
  return text.trim() && !isJson(text) && !isStarted(text) ? text : readJson(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether the text looks like JSON that is not finished. */
function isStarted(text: string): boolean {
  return /^\s*(\[|"|\{(?!\{))/.test(text);
}

/** Text or number: what is a number is kept as one. */
function LooseField({
  value,
  onChange,
  ...common
}: Common & { value: Json | undefined; onChange: (value: Json | undefined) => void }) {
  const { text, type } = useWritten(
    value,
    writeNumber,
    (typed) => (typed.trim() === "" ? undefined : Number.isFinite(Number(typed)) ? Number(typed) : typed),
    onChange,
  );
  return <TextField {...common} value={text} onChange={type} />;
}

const writeJson = (value: Json | undefined) => (value === undefined ? "" : JSON.stringify(value, null, 2));

function readJson(text: string): Json | undefined {
  if (!text.trim()) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new Error("This is not JSON yet; the value stays as it was.");
  }
}

function readObject(text: string): Json {
  const value = readJson(text) ?? {};
  if (!isObject(value)) throw new Error("This must be a JSON object, such as {}.");
  return value;
}

/** A list of texts, one row each. */
export function TextsField({
  value,
  onChange,
  label,
  help,
  error,
  warning,
  isDisabled,
}: Common & { value: string[]; onChange: (value: string[]) => void }) {
  const id = useId();
  const change = (place: number, text: string) => onChange(value.map((each, at) => (at === place ? text : each)));
  return (
    <fieldset className="rows" disabled={isDisabled} aria-describedby={help || error || warning ? id : undefined}>
      <legend>{label}</legend>
      {value.map((each, place) => (
        <div className="row-edit" key={place}>
          <input
            type="text"
            aria-label={`${label} ${place + 1}`}
            value={each}
            onChange={(event) => change(place, event.target.value)}
          />
          <button
            type="button"
            className="button quiet"
            aria-label={`Remove ${label} ${place + 1}`}
            onClick={() => onChange(value.filter((_, at) => at !== place))}
          >
            ✕
          </button>
        </div>
      ))}
      <button type="button" className="button quiet" onClick={() => onChange([...value, ""])}>
        Add<span className="unseen"> to {label}</span>
      </button>
      {(error || warning || help) && (
        <p className={error ? "error" : warning ? "warning" : "help"} id={id}>
          {error || warning || help}
        </p>
      )}
    </fieldset>
  );
}

/** Names with a text each. */
export function PairsField({
  value,
  onChange,
  label,
  help,
  error,
  warning,
  isDisabled,
}: Common & { value: JsonObject; onChange: (value: JsonObject) => void }) {
  const id = useId();
  const pairs = Object.entries(value);
  const change = (place: number, pair: [string, Json]) => {
    const isTaken = pairs.some(([name], at) => at !== place && name === pair[0]);
    if (!isTaken) onChange(Object.fromEntries(pairs.map((each, at) => (at === place ? pair : each))));
  };
  return (
    <fieldset className="rows" disabled={isDisabled} aria-describedby={help || error || warning ? id : undefined}>
      <legend>{label}</legend>
      {pairs.map(([name, text], place) => (
        <div className="row-edit" key={place}>
          <input
            type="text"
            aria-label={`${label}: name ${place + 1}`}
            value={name}
            onChange={(event) => change(place, [event.target.value, text])}
          />
          <input
            type="text"
            aria-label={`${label}: value of ${name || place + 1}`}
            value={textOf(text)}
            onChange={(event) => change(place, [name, event.target.value])}
          />
          <button
            type="button"
            className="button quiet"
            aria-label={`Remove ${name || place + 1} from ${label}`}
            onClick={() => onChange(Object.fromEntries(pairs.filter((_, at) => at !== place)))}
          >
            ✕
          </button>
        </div>
      ))}
      <button
        type="button"
        className="button quiet"
        disabled={"" in value}
        onClick={() => onChange({ ...value, "": "" })}
      >
        Add<span className="unseen"> to {label}</span>
      </button>
      {(error || warning || help) && (
        <p className={error ? "error" : warning ? "warning" : "help"} id={id}>
          {error || warning || help}
        </p>
      )}
    </fieldset>
  );
}

/** The control for one field of a config. An emptied field that is not required leaves the config. */
export function ConfigField({ field, value, onChange, error, warning, isDisabled, suggestions }: ConfigProps) {
  const standard =
    field.standard === undefined ||
    field.standard === null ||
    equal(field.standard, "") ||
    (typeof field.standard === "object" && !Object.keys(field.standard).length)
      ? ""
      : `Standard: ${typeof field.standard === "string" ? field.standard : JSON.stringify(field.standard)}`;
  const common = { label: field.label, help: field.help || undefined, error, warning, isDisabled };
  const isText = value === undefined || value === null || typeof value === "string";
  const text = (typed: string) => onChange(typed === "" && !field.isRequired ? undefined : typed);
  if ((field.control === "text" || field.control === "long") && isText) {
    return (
      <TextField
        {...common}
        value={textOf(value)}
        onChange={text}
        isLong={field.control === "long"}
        placeholder={standard}
        options={suggestions[field.name]}
      />
    );
  }
  if (field.control === "any") return <AnyField {...common} value={value} onChange={onChange} />;
  if (field.control === "loose" && (isText || typeof value === "number"))
    return <LooseField {...common} value={value} onChange={onChange} />;
  if (field.control === "group" && (value === undefined || value === null || isObject(value))) {
    return <Group {...common} field={field} value={value} onChange={onChange} suggestions={suggestions} />;
  }
  if (field.control === "either" && (isText || isObject(value)))
    return <Either {...common} field={field} value={value} onChange={onChange} suggestions={suggestions} />;
  if (field.control === "choice" && (isText || field.choices.includes(value)))
    return <Choice {...common} field={field} value={value} onChange={onChange} />;
  if (field.control === "number" && (value === undefined || value === null || typeof value === "number")) {
    return (
      <NumberField
        {...common}
        help={common.help ?? (standard || undefined)}
        value={value}
        onChange={onChange}
        isInteger={field.isInteger}
      />
    );
  }
  if (field.control === "check" && (value === undefined || value === null || typeof value === "boolean")) {
    return <CheckField {...common} value={(value ?? field.standard) === true} onChange={onChange} />;
  }
  if (
    field.control === "texts" &&
    listOf(value).every((each) => typeof each === "string") &&
    (value === undefined || value === null || Array.isArray(value))
  ) {
    return (
      <TextsField
        {...common}
        value={listOf(value) as string[]}
        onChange={(list) => onChange(list.length || field.isRequired ? list : undefined)}
      />
    );
  }
  if (
    field.control === "pairs" &&
    Object.values(objectOf(value)).every((each) => typeof each === "string") &&
    (value === undefined || value === null || isObject(value))
  ) {
    return (
      <PairsField
        {...common}
        value={objectOf(value)}
        onChange={(pairs) => onChange(Object.keys(pairs).length || field.isRequired ? pairs : undefined)}
      />
    );
  }
  return <JsonField {...common} help={common.help ?? "As JSON."} value={value} onChange={onChange} />;
}

type NestedProps = Common & {
  field: Field;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  suggestions: Suggestions;
};

/** An object inside the config. Emptied, it leaves the config. */
function Group({ field, value, onChange, suggestions, help, error, warning, isDisabled }: NestedProps) {
  const held = objectOf(value);
  const set = (name: string, given: Json | undefined) => {
    const changed = put(held, [name], given);
    onChange(Object.keys(changed).length || field.isRequired ? changed : undefined);
  };
  return (
    <fieldset className="part" disabled={isDisabled}>
      <legend>{field.label}</legend>
      {(error || warning || help) && (
        <p className={error ? "error" : warning ? "warning" : "help"}>{error || warning || help}</p>
      )}
      {field.fields.map((each) => (
        <ConfigField
          key={each.name}
          field={{ ...each, isRequired: false }}
          value={held[each.name]}
          error=""
          warning=""
          isDisabled={!!isDisabled}
          suggestions={suggestions}
          onChange={(given) => set(each.name, given)}
        />
      ))}
    </fieldset>
  );
}

/** One of some words, or an object. */
function Either({ field, value, onChange, suggestions, ...common }: NestedProps) {
  const [first] = field.fields;
  const words = field.choices.map((choice): [string, string] => [textOf(choice), textOf(choice)]);
  const chosen = isObject(value) ? OBJECT : textOf(value ?? field.standard);
  return (
    <>
      <ChoiceField
        {...common}
        value={chosen}
        choices={[...words, [OBJECT, first ? first.label : "Other"]]}
        onChange={(word) =>
          onChange(
            word === OBJECT
              ? Object.fromEntries(field.fields.map((each) => [each.name, ""]))
              : word === field.standard
                ? undefined
                : word,
          )
        }
      />
      {isObject(value) &&
        field.fields.map((each) => (
          <ConfigField
            key={each.name}
            field={each}
            value={value[each.name]}
            error=""
            warning=""
            isDisabled={!!common.isDisabled}
            suggestions={suggestions}
            onChange={(given) => onChange(put(value, [each.name], given))}
          />
        ))}
    </>
  );
}

const OBJECT = "{}";

function Choice({
  field,
  value,
  onChange,
  ...common
}: Common & { field: Field; value: Json | undefined; onChange: (value: Json | undefined) => void }) {
  const name = (choice: Json) => (typeof choice === "string" ? choice : JSON.stringify(choice));
  const unset: [string, string][] = field.isRequired
    ? []
    : [
        [
          "",
          field.standard === undefined || field.standard === null ? "Not set" : `${name(field.standard)} (standard)`,
        ],
      ];
  const others = field.choices.filter(
    (choice) => field.isRequired || !equal(choice, field.standard) || equal(choice, value),
  );
  return (
    <ChoiceField
      {...common}
      value={value === undefined || value === null ? "" : name(value)}
      choices={[...unset, ...others.map((choice): [string, string] => [name(choice), name(choice)])]}
      onChange={(chosen) =>
        onChange(chosen === "" ? undefined : field.choices.find((choice) => name(choice) === chosen))
      }
    />
  );
}

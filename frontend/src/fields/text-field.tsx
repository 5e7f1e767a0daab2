// A text on one line or on several.

import type { KeyboardEvent } from "react";
import { FieldFrame, type FieldProps, useTies } from "./field";
import { NamedText } from "./named-text";

export type TextProps = FieldProps & {
  value: string;
  onChange: (value: string) => void;
  isLong?: boolean;
  isCode?: boolean;
  placeholder?: string;
  /** Values to choose from; others can be typed. */
  options?: string[];
  onKeyDown?: (event: KeyboardEvent) => void;
};

export function TextField({ value, onChange, isLong, isCode, placeholder, options, onKeyDown, ...common }: TextProps) {
  const ties = useTies(common);
  const listId = options && `${ties.id}-options`;
  const shared = {
    ...ties,
    value,
    placeholder,
    className: isCode ? "code" : undefined,
    spellCheck: isCode ? false : undefined,
    onKeyDown,
  };
  return (
    <FieldFrame {...common} name={ties.id}>
      {common.language ? (
        <NamedText
          {...{ value, onChange, isLong }}
          language={common.language}
          rows={rowsFor(value)}
          attributes={shared}
          hasList
        />
      ) : isLong ? (
        <textarea {...shared} rows={rowsFor(value)} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <input {...shared} type="text" list={listId} onChange={(event) => onChange(event.target.value)} />
      )}
      {options && (
        <datalist id={listId}>
          {options.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
    </FieldFrame>
  );
}

function rowsFor(text: string): number {
  return Math.min(14, Math.max(3, text.split("\n").length + 1));
}

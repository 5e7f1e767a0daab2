// Values of more than one type in one text field.

import type { FieldProps } from "./field";
import { ANY_VALUE, TEXT_OR_NUMBER } from "./notations";
import { TextField } from "./text-field";
import { useWrittenValue, type ValueProps } from "./written-value";

const HELP = "Text, or JSON such as 5, true, [], {}. A number that is meant as text goes in quotes.";

/** Any value: what is JSON is taken as JSON, everything else as text. */
export function AnyField({ value, onChange, ...common }: FieldProps & ValueProps) {
  const { text, error, type } = useWrittenValue({ value, onChange }, ANY_VALUE);
  return (
    <TextField
      {...common}
      help={common.help ?? HELP}
      error={error || common.error}
      isLong
      value={text}
      onChange={type}
    />
  );
}

/** Text or number: what is a number is kept as one. */
export function TextOrNumberField({ value, onChange, ...common }: FieldProps & ValueProps) {
  const { text, type } = useWrittenValue({ value, onChange }, TEXT_OR_NUMBER);
  return <TextField {...common} value={text} onChange={type} />;
}

// Any value, typed as JSON.

import { FieldFrame, type FieldProps, useTies } from "./field";
import { JSON_OBJECT, JSON_VALUE } from "./notations";
import { useWrittenValue, type ValueProps } from "./written-value";

export function JsonField({
  value,
  onChange,
  isObjectOnly,
  ...common
}: FieldProps & ValueProps & { isObjectOnly?: boolean }) {
  const { text, error, type } = useWrittenValue({ value, onChange }, isObjectOnly ? JSON_OBJECT : JSON_VALUE);
  const shown = { ...common, error: error || common.error };
  const ties = useTies(shown);
  return (
    <FieldFrame {...shown} name={ties.id}>
      <textarea
        {...ties}
        className="code"
        spellCheck={false}
        rows={Math.min(16, Math.max(2, text.split("\n").length))}
        value={text}
        onChange={(event) => type(event.target.value)}
      />
    </FieldFrame>
  );
}

// A number, whole or not.

import { FieldFrame, type FieldProps, useTies } from "./field";
import { INTEGER, NUMBER } from "./notations";
import { useWrittenValue, type ValueProps } from "./written-value";

export function NumberField({
  value,
  onChange,
  isInteger,
  ...common
}: FieldProps & ValueProps & { isInteger?: boolean }) {
  const { text, error, type } = useWrittenValue({ value, onChange }, isInteger ? INTEGER : NUMBER);
  const shown = { ...common, error: error || common.error };
  const ties = useTies(shown);
  return (
    <FieldFrame {...shown} name={ties.id}>
      <input
        {...ties}
        type="text"
        inputMode={isInteger ? "numeric" : "decimal"}
        value={text}
        onChange={(event) => type(event.target.value)}
      />
    </FieldFrame>
  );
}

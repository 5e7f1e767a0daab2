// A box to tick.

import { type FieldProps, useTies } from "./field";

export function CheckField({
  value,
  onChange,
  ...common
}: FieldProps & { value: boolean; onChange: (value: boolean) => void }) {
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

// One of some values; a value that is none of them is kept and shown as it is.

import { FieldFrame, type FieldProps, useTies } from "./field";

type Props = FieldProps & {
  value: string;
  onChange: (value: string) => void;
  choices: [value: string, label: string][];
};

export function ChoiceField({ value, onChange, choices, ...common }: Props) {
  const ties = useTies(common);
  const isKnown = choices.some(([each]) => each === value);
  return (
    <FieldFrame {...common} name={ties.id}>
      <select {...ties} value={value} onChange={(event) => onChange(event.target.value)}>
        {!isKnown && <option value={value}>{value || "—"}</option>}
        {choices.map(([each, label]) => (
          <option key={each} value={each}>
            {label}
          </option>
        ))}
      </select>
    </FieldFrame>
  );
}

// Every form field: label above, help below, error between them, tied together for screen readers.

import { type ReactNode, useId } from "react";
import type { Language } from "../document/config-fields";
import { Prose } from "../text/prose";

export type FieldProps = {
  label: string;
  help?: ReactNode;
  error?: string;
  warning?: string;
  id?: string;
  isDisabled?: boolean;
  /** What its texts are written in, where they read names of the run. */
  language?: Language;
};

/** The attributes that tie an input to its help and error. */
export function useTies({ id, help, error, warning, isDisabled }: FieldProps) {
  const ownId = useId();
  const name = id ?? ownId;
  const described = [help && helpId(name), (error || warning) && errorId(name)].filter(Boolean).join(" ");
  return {
    id: name,
    disabled: isDisabled,
    "aria-describedby": described || undefined,
    "aria-invalid": error ? true : undefined,
  } as const;
}

type FrameProps = FieldProps & { name: string; children: ReactNode };

/** `name` is the id of the input among the children. */
export function FieldFrame({ label, help, error, warning, name, children }: FrameProps) {
  return (
    <div className="field">
      <label htmlFor={name}>{label}</label>
      {children}
      {(error || warning) && (
        <p className={error ? "error" : "warning"} id={errorId(name)}>
          <Prose text={error || warning!} />
        </p>
      )}
      {help && (
        <p className="help" id={helpId(name)}>
          {help}
        </p>
      )}
    </div>
  );
}

/** The one line under a group of inputs: the error, or else the warning, or else the help. */
export function GroupNote({ id, help, error, warning }: Pick<FieldProps, "id" | "help" | "error" | "warning">) {
  if (!error && !warning && !help) return null;
  return (
    <p className={error ? "error" : warning ? "warning" : "help"} id={id}>
      {error || warning ? <Prose text={error || warning!} /> : help}
    </p>
  );
}

const helpId = (name: string) => `${name}-help`;
const errorId = (name: string) => `${name}-error`;

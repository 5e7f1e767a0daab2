// Text that is typed for a value of another type.

import { useEffect, useRef, useState } from "react";
import { equal, type Json } from "../document/json";

export type MaybeJson = Json | undefined;
export type ValueProps = { value: MaybeJson; onChange: (value: MaybeJson) => void };
/** How a value becomes text and text a value; `read` throws an error that says what is wrong with the text. */
export type Notation = { write: (value: MaybeJson) => string; read: (text: string) => MaybeJson };

/** While the text cannot be read, it stays as typed and the value stays as it was. */
export function useWrittenValue({ value, onChange }: ValueProps, { write, read }: Notation) {
  const [text, setText] = useState(() => write(value));
  const [error, setError] = useState("");
  const last = useRef(value);
  // Undo and restore change the value from outside; what was typed here leaves the text alone.
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

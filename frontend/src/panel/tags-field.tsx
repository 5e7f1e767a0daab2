// Tags on one line, with commas between them.

import { useState } from "react";
import { equal, type Json, listOf, textOf } from "../document/json";
import { TextField } from "../fields/text-field";

type Props = {
  label: string;
  help: string;
  isDisabled: boolean;
  value: Json | undefined;
  onChange: (tags: Json) => void;
};

export function TagsField({ value, onChange, ...common }: Props) {
  const tags = listOf(value).map(textOf);
  const [typed, setTyped] = useState("");
  // A comma that was just typed stands for no tag yet, and stays; when the tags change elsewhere they are shown.
  const shown = equal(split(typed), tags) ? typed : tags.join(", ");
  const change = (text: string) => {
    setTyped(text);
    onChange(split(text));
  };
  return <TextField {...common} value={shown} onChange={change} />;
}

function split(text: string): string[] {
  const parts = text.split(/[,;]/).map((part) => part.trim());
  return [...new Set(parts.filter(Boolean))];
}

// A diagnostic in the panel of the part that it is about.

import type { Severity } from "../checks/findings";
import { Prose } from "../text/prose";

export function FindingNotice({ severity, text }: { severity: Severity; text: string }) {
  return (
    <p className={`notice ${severity === "error" ? "bad" : "warn"}`}>
      <Prose text={text} />
    </p>
  );
}

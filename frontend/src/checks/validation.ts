// Diagnostics while somebody works: asked for when the typing pauses; an answer to an older document is dropped.

import { useEffect, useState } from "react";
import type { JsonObject } from "../document/json";
import type { Api } from "../server/api";
import type { Diagnostic } from "../server/page";

const PAUSE_MS = 350;

/** `able`: what the flow can do for its callers; nothing as long as it has errors. */
export type Validation = {
  diagnostics: Diagnostic[];
  able: string[] | null;
  state: "checking" | "done" | "failed";
};

export function useValidation(api: Api, document: JsonObject): Validation {
  const [validation, setValidation] = useState<Validation>({ diagnostics: [], able: null, state: "checking" });
  useEffect(() => {
    const request = new AbortController();
    const timer = setTimeout(() => {
      api.validate(document, request.signal).then(
        (found) => request.signal.aborted || setValidation({ ...found, state: "done" }),
        () => request.signal.aborted || setValidation((before) => ({ ...before, state: "failed" })),
      );
    }, PAUSE_MS);
    setValidation((before) => ({ ...before, state: "checking" }));
    return () => {
      clearTimeout(timer);
      request.abort();
    };
  }, [api, document]);
  return validation;
}

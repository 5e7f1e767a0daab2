// Diagnostics while somebody works: asked for when the typing pauses; an answer to an older document is dropped.

import { useEffect, useState } from "react";
import type { JsonObject } from "../document/json";
import type { Api } from "../server/api";
import type { Diagnostic } from "../server/page";

const PAUSE_MS = 350;

export type Validation = { diagnostics: Diagnostic[]; state: "checking" | "done" | "failed" };

export function useValidation(api: Api, document: JsonObject): Validation {
  const [validation, setValidation] = useState<Validation>({ diagnostics: [], state: "checking" });
  useEffect(() => {
    const request = new AbortController();
    const timer = setTimeout(() => {
      api.validate(document, request.signal).then(
        (diagnostics) => request.signal.aborted || setValidation({ diagnostics, state: "done" }),
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

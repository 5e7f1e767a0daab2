// Diagnostics while one works: asked for when the typing pauses; an answer to an older document is dropped.

import { useEffect, useState } from "react";
import type { JsonObject } from "../document/json";
import type { Api } from "../server/api";
import type { Diagnostic } from "../server/page";

const PAUSE_MS = 350;

export type Checked = { diagnostics: Diagnostic[]; state: "checking" | "done" | "failed" };

export function useValidation(api: Api, document: JsonObject): Checked {
  const [checked, tell] = useState<Checked>({ diagnostics: [], state: "checking" });
  useEffect(() => {
    const asking = new AbortController();
    const timer = setTimeout(() => {
      api.validate(document, asking.signal).then(
        (diagnostics) => asking.signal.aborted || tell({ diagnostics, state: "done" }),
        () => asking.signal.aborted || tell((before) => ({ ...before, state: "failed" })),
      );
    }, PAUSE_MS);
    tell((before) => ({ ...before, state: "checking" }));
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [api, document]);
  return checked;
}

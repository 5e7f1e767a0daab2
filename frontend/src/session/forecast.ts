// What a deploy would change, for somebody who is about to press the button.

import { useState } from "react";
import type { Api } from "../server/api";
import { Refusal } from "../server/request";
import type { SavedFlow } from "./saved-flow";

/** A forecast holds for what was saved and deployed when it was asked for. */
type Forecast = Pick<SavedFlow, "saved" | "deployState"> & { text: string };

export function useForecast(api: Api, { saved, deployState }: SavedFlow) {
  const [latest, setLatest] = useState<Forecast | null>(null);
  const isCurrent = latest?.saved === saved && latest.deployState === deployState;
  const text = isCurrent ? latest.text : "";
  const set = (words: string) => setLatest({ saved, deployState, text: words });
  const isDue = deployState.live !== saved.version || deployState.has_drifted;
  const ask = () => {
    if (!isDue || text) return;
    api.plan().then(
      (plan) => set(plan.summary),
      (problem) => set(isCompileError(problem) ? "It would be refused: see the errors." : ""),
    );
  };
  return { text, ask };
}

function isCompileError(problem: unknown): boolean {
  return problem instanceof Refusal && problem.code === "compile_error";
}

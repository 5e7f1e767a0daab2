// Running the tests of the document as it is on the canvas.

import { useState } from "react";
import type { JsonObject } from "../document/json";
import type { Api } from "../server/api";
import type { TriedTest } from "../server/page";
import { Refusal } from "../server/request";

export type Testing = ReturnType<typeof useTesting>;

export function useTesting(api: Api) {
  /** How each test went when it was last run, by its name. */
  const [outcomes, setOutcomes] = useState(new Map<string, TriedTest>());
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState("");
  const run = async (content: JsonObject, names?: string[]) => {
    setRunning(true);
    setProblem("");
    try {
      const tried = await api.runTests(content, names);
      setOutcomes((now) => new Map([...(names ? now : []), ...tried.map((test) => [test.name, test] as const)]));
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      setProblem(`${refusal.message} ${refusal.fix}`);
    } finally {
      setRunning(false);
    }
  };
  const forget = (name: string) => setOutcomes((now) => new Map([...now].filter(([each]) => each !== name)));
  return { outcomes, isRunning, problem, run, forget };
}

// What did not happen, and what to do about it.

import { useEffect, useState } from "react";
import { listOf } from "../document/json";
import type { TriedTest } from "../server/page";
import { Refusal } from "../server/request";

/** `tests` are those that failed before a deploy. */
export type Notice = { headline: string; advice: string; problems: string[]; code?: string; tests?: TriedTest[] };
const OF_CONNECTION = new Set(["signed_out", "unreachable"]);
const RETURNS = ["online", "focus"];

export type NoticeBoard = ReturnType<typeof useNotice>;

export function useNotice() {
  const [notice, setNotice] = useState<Notice | null>(null);
  const isOfConnection = notice !== null && OF_CONNECTION.has(notice.code ?? "");
  // Whoever comes back from signing in, or is connected again, is told nothing of it any more.
  useEffect(() => {
    if (!isOfConnection) return;
    const close = () => setNotice(null);
    for (const event of RETURNS) window.addEventListener(event, close);
    return () => {
      for (const event of RETURNS) window.removeEventListener(event, close);
    };
  }, [isOfConnection]);
  return {
    notice,
    show: setNotice,
    /** Show a refusal; any other exception is a defect and goes on to the console. */
    refuse: (headline: string, problem: unknown) => {
      if (!(problem instanceof Refusal)) throw problem;
      setNotice(refusalNotice(headline, problem));
    },
    close: () => setNotice(null),
  };
}

function refusalNotice(headline: string, refusal: Refusal): Notice {
  return {
    headline,
    code: refusal.code,
    advice: [refusal.message, refusal.fix].filter(Boolean).join(" "),
    tests: listOf(refusal.detail.tests) as unknown as TriedTest[],
    problems: refusal.problems.map((each) => each.message).filter((each) => each !== refusal.message),
  };
}

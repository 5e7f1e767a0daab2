// Deploying the saved version, and rolling back to an earlier one.

import { useState } from "react";
import { refreshBelow } from "../browser/below-editor";
import { toast } from "../browser/toast";
import type { JsonObject } from "../document/json";
import type { Api } from "../server/api";
import type { Work } from "../work";
import type { NoticeBoard } from "./notice";
import type { SavedFlow } from "./saved-flow";

export function useDeploying(api: Api, work: Work, flow: SavedFlow, board: NoticeBoard, isUnsaved: boolean) {
  const [questions, setQuestions] = useState<string[] | null>(null);
  const [refusedFor, setRefusedFor] = useState<JsonObject | null>(null);
  const announce = async (message: string) => {
    toast(message);
    await flow.refresh();
    await refreshBelow(work.page.urls.flow);
  };
  const deploy = async (isAgreed: boolean) => {
    if (isUnsaved) return setRefusedFor(work.document);
    setQuestions(null);
    try {
      const plan = await api.plan();
      if (!isAgreed && plan.questions.length) return setQuestions(plan.questions);
      await announce(await api.deploy(flow.saved.version));
    } catch (problem) {
      board.refuse("Nothing was deployed.", problem);
    }
  };
  return {
    questions,
    /** Whether Deploy was pressed on this very document, which is not saved yet. */
    isAskedToSave: refusedFor === work.document,
    deploy,
    decline: () => setQuestions(null),
    rolledBack: announce,
  };
}

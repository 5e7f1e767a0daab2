// Between the document and the server: saving, deploying, drafts, and what was refused.

import { useState } from "react";
import { useUnloadWarning } from "../browser/unload-warning";
import type { Api } from "../server/api";
import type { Work } from "../work";
import { useDeploying } from "./deploying";
import { useDrafts } from "./drafts";
import { useForecast } from "./forecast";
import { useNotice } from "./notice";
import { useSavedFlow } from "./saved-flow";
import { useSaving } from "./saving";

export type Session = ReturnType<typeof useSession>;

export function useSession(api: Api, work: Work) {
  const { page } = work;
  const flow = useSavedFlow(page, api);
  const board = useNotice();
  const saving = useSaving(api, work, flow, board);
  const drafts = useDrafts(work, flow, saving.clash !== null);
  const deploying = useDeploying(api, work, flow, board, saving.isUnsaved);
  const forecast = useForecast(api, flow);
  const busy = useBusy(board.close);
  useUnloadWarning(saving.isUnsaved);
  return {
    saved: flow.saved,
    deployState: flow.deployState,
    isUnsaved: saving.isUnsaved,
    clash: saving.clash,
    nameError: saving.nameError,
    questions: deploying.questions,
    isAskedToSave: deploying.isAskedToSave,
    board,
    drafts,
    forecast: forecast.text,
    ...busy.state,
    save: () => busy.run("save", saving.save),
    deploy: (isAgreed = false) => busy.run("deploy", () => deploying.deploy(isAgreed)),
    decline: deploying.decline,
    rolledBack: deploying.rolledBack,
    foresee: () => page.may_change && !saving.isUnsaved && !busy.state.isBusy && forecast.ask(),
    loadTheirs: () => {
      drafts.shelve();
      work.reset(flow.saved.content);
      saving.dropClash();
    },
  };
}

type Act = "save" | "deploy";

/** One request of this kind at a time; a new one begins without the last one's notice. */
function useBusy(clear: () => void) {
  const [current, setCurrent] = useState<Act | null>(null);
  const run = async (act: Act, work: () => Promise<void>) => {
    if (current) return;
    setCurrent(act);
    clear();
    await work().finally(() => setCurrent(null));
  };
  return { state: { isBusy: current !== null, isDeploying: current === "deploy" }, run };
}

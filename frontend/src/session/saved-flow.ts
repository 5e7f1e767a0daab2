// What the server holds of this flow: the newest saved version, and what of it is deployed.

import { useState } from "react";
import type { Api, SaveAnswer } from "../server/api";
import type { DeployState, Page, Saved } from "../server/page";

export type SavedFlow = ReturnType<typeof useSavedFlow>;

export function useSavedFlow(page: Page, api: Api) {
  const [saved, setSaved] = useState<Saved>(page.saved);
  const [deployState, setDeployState] = useState<DeployState>(page.state);
  /** Where the server cannot say what is deployed, the page goes on with what it knew. */
  const refresh = () => api.deployState().then(setDeployState, () => {});
  const take = (answer: SaveAnswer) => {
    setSaved(answer.saved);
    setDeployState(answer.state);
  };
  return { saved, setSaved, deployState, take, refresh };
}

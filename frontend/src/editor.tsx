// The editor as a whole: head, notices, tools, palette, canvas, panel, checks.

import { useMemo } from "react";
import { useFullScreen } from "./browser/full-screen";
import { useCanvasActions } from "./canvas/actions";
import { useKeys } from "./canvas/keys";
import { useReveal } from "./canvas/reveal";
import { Checks } from "./checks/checks";
import { locate } from "./checks/findings";
import { useValidation } from "./checks/validation";
import { Panel } from "./panel/panel";
import { usePanelChoice } from "./panel/panel-choice";
import { Api } from "./server/api";
import type { Page } from "./server/page";
import { useSession } from "./session/session";
import { useTenant } from "./session/tenant";
import { useTesting } from "./session/testing";
import { useTrying } from "./session/trying";
import { Bench } from "./shell/bench";
import { Head } from "./shell/head";
import { Notices } from "./shell/notices";
import { Question } from "./shell/question";
import { type Selection, useWorkState, WorkProvider } from "./work";

export function Editor({ page }: { page: Page }) {
  const api = useMemo(() => new Api(page), [page]);
  const trying = useTrying(api, page);
  const testing = useTesting(api);
  const drawn = useWorkState(page);
  const runAlone = (id: string) => trying.runAlone(drawn.document, id);
  const work = { ...drawn, tried: trying.nodes, alone: trying.alone, runAlone };
  const { document, nodes, edges, undo, redo } = work;
  const tenant = useTenant(api, page, document);
  const session = useSession(api, work);
  const { diagnostics, able, state } = useValidation(api, document);
  const findings = useMemo(() => locate(diagnostics, nodes, edges), [diagnostics, nodes, edges]);
  const choice = usePanelChoice(work);
  const full = useFullScreen();
  const actions = useCanvasActions(work, choice.open);
  const reveal = useReveal();
  const show = (chosen: Selection) => {
    choice.open(chosen);
    reveal(chosen.nodes[0]);
  };
  useKeys({ ...actions, undo, redo, save: () => page.may_change && session.save() });
  return (
    // Whatever is selected from here on is shown in the panel and on the canvas, too.
    <WorkProvider value={{ ...work, select: show }}>
      <div className={`stack editor ${full.isFull ? "is-full" : ""}`}>
        <Head session={session} />
        <Notices session={session} />
        <Question session={session} />
        <Bench {...{ actions, choice, full, findings }}>
          <Panel {...{ choice, api, session, tenant, findings, able, trying, testing }} />
        </Bench>
        <Checks findings={findings} state={state} />
      </div>
    </WorkProvider>
  );
}

// Earlier saves: what each one changed, and a way back to it; and the deployed versions, with roll-back.

import { useEffect, useEffectEvent, useState } from "react";
import type { JsonObject } from "../document/json";
import type { Api, VersionPage } from "../server/api";
import type { Deployment } from "../server/page";
import type { Refusal } from "../server/request";
import { QuestionDialog } from "../shell/question";
import { Version } from "./version";

type Props = {
  api: Api;
  /** The number of the newest saved version. */
  saved: string;
  restore: (version: string, document: JsonObject) => void;
  rolledBack: (message: string) => void;
  refused: (refusal: Refusal) => void;
};

/** A roll-back that waits for a yes, and what it will do. */
type Asked = { deployment: Deployment; questions: string[] };

export function Versions(props: Props) {
  const { page, deployments, showMore, reload, askRollBack, rollBack, asked, decline } = useVersions(props);
  if (!page) return <p className="muted">Loading…</p>;
  return (
    <>
      {asked && (
        <QuestionDialog
          questions={asked.questions}
          yes="Roll back"
          agree={() => rollBack(asked.deployment)}
          decline={decline}
        />
      )}
      <ol className="versions">
        {page.items.map((version, index) => (
          <Version
            key={version.version}
            {...props}
            version={version}
            before={page.items[index + 1]?.version}
            others={page.items.filter((each) => each !== version)}
            deployments={deployments.filter((each) => each.flow_version === version.version)}
            rollBack={askRollBack}
            reload={reload}
          />
        ))}
      </ol>
      {page.items.length < page.total && (
        <button type="button" className="button quiet" onClick={showMore}>
          Show earlier versions
        </button>
      )}
    </>
  );
}

function useVersions({ api, saved, rolledBack, refused }: Props) {
  const [page, setPage] = useState<VersionPage | null>(null);
  const [deployments, setDeployments] = useState<Deployment[]>([]);
  const [round, setRound] = useState(0);
  const load = useEffectEvent(() => {
    Promise.all([api.versions(), api.deployments()]).then(([versions, deployed]) => {
      setPage(versions);
      setDeployments(deployed);
    }, refused);
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: each save and each roll-back brings other rows.
  useEffect(() => load(), [saved, round]);
  const showMore = () => {
    const shown = page?.items ?? [];
    return api
      .versions(50, shown.length)
      .then((next) => setPage({ ...next, items: [...shown, ...next.items] }), refused);
  };
  const reload = () => setRound((count) => count + 1);
  const [asked, setAsked] = useState<Asked | null>(null);
  const decline = () => setAsked(null);
  const askRollBack = (deployment: Deployment) =>
    api.foreseeRollback(deployment.core_version).then((questions) => setAsked({ deployment, questions }), refused);
  const rollBack = (deployment: Deployment) => {
    decline();
    return api.rollback(deployment.core_version).then((message) => {
      rolledBack(message);
      reload();
    }, refused);
  };
  return { page, deployments, showMore, reload, askRollBack, rollBack, asked, decline };
}

// The panel beside the canvas; on narrow screens it is a sheet over it.

import { isNarrow } from "../browser/screen";
import { toast } from "../browser/toast";
import type { Finding } from "../checks/findings";
import { type JsonObject, objectOf } from "../document/json";
import type { Api } from "../server/api";
import type { Session } from "../session/session";
import type { Tenant } from "../session/tenant";
import type { Testing } from "../session/testing";
import type { Trying } from "../session/trying";
import { useWork } from "../work";
import { EdgePanel } from "./edge-panel";
import { FlowPanel } from "./flow-panel";
import { NodePanel } from "./node-panel";
import type { PanelChoice } from "./panel-choice";
import { RunPanel } from "./run-panel";
import { TestsPanel } from "./tests-panel";
import { Versions } from "./versions";

type ContentProps = {
  api: Api;
  session: Session;
  tenant: Tenant;
  findings: Finding[];
  able: string[] | null;
  trying: Trying;
  testing: Testing;
  showTests: () => void;
  panel: PanelChoice["panel"];
};

type Props = Omit<ContentProps, "panel" | "showTests"> & { choice: PanelChoice };

export function Panel({ choice, ...content }: Props) {
  const { panel, isSheetOpen, close } = choice;
  return (
    <section
      id="panel"
      className={`panel ${isSheetOpen ? "is-open" : ""}`}
      aria-labelledby="panel-title"
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <div className="row apart panel-head">
        <h2 id="panel-title" tabIndex={-1}>
          {panel.title}
        </h2>
        {(panel.name !== "flow" || isNarrow()) && (
          <button type="button" className="button quiet" onClick={close}>
            Close
          </button>
        )}
      </div>
      <Content {...content} panel={panel} showTests={() => choice.show("tests")} />
    </section>
  );
}

function Content({ api, session, tenant, findings, able, trying, testing, showTests, panel }: ContentProps) {
  switch (panel.name) {
    case "node":
      return <NodePanel key={panel.node.index} node={panel.node} findings={findings} />;
    case "edge":
      return <EdgePanel key={panel.edge.key} edge={panel.edge} findings={findings} />;
    case "flow":
      return <FlowPanel tenant={tenant} nameError={session.nameError} able={able} />;
    case "versions":
      return <VersionsPanel api={api} session={session} />;
    case "run":
      return <RunPanel trying={trying} findings={findings} showTests={showTests} />;
    case "tests":
      return <TestsPanel testing={testing} findings={findings} />;
    case "many":
      return <SelectionPanel />;
  }
}

function VersionsPanel({ api, session }: { api: Api; session: Session }) {
  const { document, edit } = useWork();
  const restore = (version: string, content: JsonObject) => {
    edit(restored(document, content));
    toast(`Version ${version} is on the canvas, not saved yet`);
  };
  return (
    <Versions
      api={api}
      saved={session.saved.version}
      restore={restore}
      rolledBack={session.rolledBack}
      refused={(refusal) => session.board.refuse("That did not work.", refusal)}
    />
  );
}

/** An earlier document on the canvas; what belongs to the server stays as it is now. */
function restored(document: JsonObject, content: JsonObject): JsonObject {
  const description = objectOf(document.metadata).description ?? "";
  return {
    ...content,
    id: document.id!,
    name: document.name!,
    version: document.version!,
    metadata: { ...objectOf(content.metadata), description },
  };
}

function SelectionPanel() {
  const { nodes, edges } = useWork().selection;
  return (
    <p>
      {nodes.length} nodes and {edges.length} edges are selected. Arrow keys move them, Delete takes them away.
    </p>
  );
}

// What can be done on the canvas besides drawing, each with its keys.

import type { ReactNode } from "react";
import type { FullScreen } from "../browser/full-screen";
import type { FlowPart, PanelChoice } from "../panel/panel-choice";
import { useWork } from "../work";
import type { CanvasActions } from "./actions";
import { LayoutMenu } from "./layout-menu";

type Props = {
  actions: CanvasActions;
  palette: { isOpen: boolean; toggle: () => void };
  choice: PanelChoice;
  full: FullScreen;
};

export function Toolbar({ actions, palette, choice, full }: Props) {
  const { isReadOnly } = useWork();
  return (
    <div className="toolbar" role="toolbar" aria-label="Canvas tools">
      {!isReadOnly && (
        <>
          <Plain aria-expanded={palette.isOpen} aria-controls="palette" onClick={palette.toggle}>
            Nodes
          </Plain>
          <EditingTools actions={actions} />
        </>
      )}
      <Tool name="Find" keys="/ or Ctrl+F" shortcut="/ Control+F" act={actions.find} />
      <Tool name="Fit" keys="shows the whole flow" act={actions.fit} />
      <span className="spring" />
      <PanelTools choice={choice} />
      <span className="gap" />
      <Tool name="Keys" keys="?" shortcut="?" act={actions.showKeys} icon="?" />
      <Plain aria-pressed={full.isFull} onClick={full.toggle}>
        Full screen
      </Plain>
    </div>
  );
}

function PanelTools({ choice: { panel, show, isHidden, toggle } }: { choice: PanelChoice }) {
  const { isReadOnly } = useWork();
  const isShown = (name: FlowPart) => panel.name === name && !isHidden;
  return (
    <>
      <Plain aria-pressed={isShown("flow")} onClick={() => show("flow")}>
        Properties
      </Plain>
      <Plain aria-pressed={isShown("versions")} onClick={() => show("versions")}>
        Versions
      </Plain>
      {!isReadOnly && (
        <>
          <Plain aria-pressed={isShown("run")} onClick={() => show("run")}>
            Run
          </Plain>
          <Plain aria-pressed={isShown("tests")} onClick={() => show("tests")}>
            Tests
          </Plain>
        </>
      )}
      <Plain className="button quiet beside-only" aria-expanded={!isHidden} aria-controls="panel" onClick={toggle}>
        Panel
      </Plain>
    </>
  );
}

function EditingTools({ actions }: { actions: CanvasActions }) {
  const { history, undo, redo, selection } = useWork();
  const hasNodes = selection.nodes.length > 0;
  const hasAny = hasNodes || selection.edges.length > 0;
  return (
    <>
      <span className="gap" />
      <Tool name="Undo" keys="Ctrl+Z" shortcut="Control+Z" isOff={!history.past.length} act={undo} icon="↶" />
      <Tool name="Redo" keys="Ctrl+Y" shortcut="Control+Y" isOff={!history.future.length} act={redo} icon="↷" />
      <span className="gap" />
      <Tool name="Copy" keys="Ctrl+C" shortcut="Control+C" isOff={!hasNodes} act={actions.copy} />
      <Tool name="Paste" keys="Ctrl+V" shortcut="Control+V" act={() => actions.paste()} />
      <Tool name="Delete" keys="Del" shortcut="Delete" isOff={!hasAny} act={actions.removeSelected} />
      <span className="gap" />
      <Tool name="Tidy" keys="orders the nodes" act={() => actions.tidy()} />
      <LayoutMenu tidy={actions.tidy} />
    </>
  );
}

type PlainProps = {
  className?: string;
  children: ReactNode;
  onClick: () => void;
  "aria-expanded"?: boolean;
  "aria-controls"?: string;
  "aria-pressed"?: boolean;
};

function Plain(props: PlainProps) {
  return <button type="button" className="button quiet" {...props} />;
}

type ToolProps = { name: string; keys: string; shortcut?: string; act: () => void; isOff?: boolean; icon?: string };

function Tool({ name, keys, shortcut, act, isOff, icon }: ToolProps) {
  // The attribute `disabled` would take the focus away after the last step; so the button only says that it is off.
  return (
    <button
      type="button"
      className="button quiet"
      title={`${name}: ${keys}`}
      aria-keyshortcuts={shortcut}
      aria-disabled={isOff || undefined}
      aria-label={icon ? name : undefined}
      onClick={() => isOff || act()}
    >
      {icon ?? name}
    </button>
  );
}

// What can be done on the canvas besides drawing, each with its keys.

import { useWork } from "../state";

type Props = {
  isPaletteOpen: boolean;
  togglePalette: () => void;
  tidy: () => void;
  fit: () => void;
  copy: () => void;
  paste: () => void;
  drop: () => void;
  panel: "flow" | "versions" | "other";
  show: (panel: "flow" | "versions") => void;
};

export function Toolbar(props: Props) {
  const { history, undo, redo, selection, isReadOnly } = useWork();
  const isEmpty = !selection.nodes.length && !selection.edges.length;
  return (
    <div className="toolbar" role="toolbar" aria-label="Canvas tools">
      {!isReadOnly && (
        <>
          <button
            type="button"
            className="button quiet"
            aria-expanded={props.isPaletteOpen}
            aria-controls="palette"
            onClick={props.togglePalette}
          >
            Nodes
          </button>
          <span className="gap" />
          <Tool name="Undo" keys="Ctrl+Z" shortcut="Control+Z" isOff={!history.past.length} act={undo} icon="↶" />
          <Tool name="Redo" keys="Ctrl+Y" shortcut="Control+Y" isOff={!history.future.length} act={redo} icon="↷" />
          <span className="gap" />
          <Tool name="Copy" keys="Ctrl+C" shortcut="Control+C" isOff={!selection.nodes.length} act={props.copy} />
          <Tool name="Paste" keys="Ctrl+V" shortcut="Control+V" act={props.paste} />
          <Tool name="Delete" keys="Del" shortcut="Delete" isOff={isEmpty} act={props.drop} />
          <span className="gap" />
          <Tool name="Tidy" keys="orders the nodes from left to right" act={props.tidy} />
        </>
      )}
      <Tool name="Fit" keys="shows the whole flow" act={props.fit} />
      <span className="spring" />
      <button
        type="button"
        className="button quiet"
        aria-pressed={props.panel === "flow"}
        onClick={() => props.show("flow")}
      >
        Properties
      </button>
      <button
        type="button"
        className="button quiet"
        aria-pressed={props.panel === "versions"}
        onClick={() => props.show("versions")}
      >
        Versions
      </button>
    </div>
  );
}

type ToolProps = { name: string; keys: string; shortcut?: string; act: () => void; isOff?: boolean; icon?: string };

function Tool({ name, keys, shortcut, act, isOff, icon }: ToolProps) {
  // Disabled by attribute it would lose the focus after the last step; so it only says so.
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

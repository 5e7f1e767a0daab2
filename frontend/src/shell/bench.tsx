// Where the work is done: the toolbar, the palette, the canvas, and the panel beside it.

import { type CSSProperties, type ReactNode, useState } from "react";
import type { FullScreen } from "../browser/full-screen";
import { isBoolean, useRemembered } from "../browser/remembered";
import { isNarrow, isRoomy, isWide } from "../browser/screen";
import type { CanvasActions } from "../canvas/actions";
import { CanvasFrame } from "../canvas/canvas-frame";
import { Palette } from "../canvas/palette";
import { Toolbar } from "../canvas/toolbar";
import type { Finding } from "../checks/findings";
import type { PanelChoice } from "../panel/panel-choice";
import { useWork } from "../work";
import { usePaneWidth } from "./pane-width";
import { Separator } from "./separator";

const PALETTE = { usual: 200, least: 152, most: 360 };
const PANEL = { usual: 336, least: 256, most: 720 };
/** A flow of so few nodes is going to get more, and leaves room for the palette. */
const FEW = 3;

type Props = {
  actions: CanvasActions;
  choice: PanelChoice;
  full: FullScreen;
  findings: Finding[];
  children: ReactNode;
};

export function Bench({ actions, choice, full, findings, children }: Props) {
  const palette = usePalette(choice.hideSheet);
  const [paletteWidth, panelWidth] = [usePaneWidth("palette", PALETTE), usePaneWidth("panel", PANEL)];
  const add = (kind: string) => {
    palette.makeRoom();
    actions.add(kind);
  };
  const sizes = { "--palette-width": `${paletteWidth.px}px`, "--panel-width": `${panelWidth.px}px` } as CSSProperties;
  return (
    <div className={`bench ${palette.isOpen ? "has-palette" : ""} ${choice.isHidden ? "" : "has-panel"}`} style={sizes}>
      <Toolbar actions={actions} palette={palette} choice={choice} full={full} />
      {palette.isOpen && (
        <>
          <aside id="palette" aria-label="Node kinds">
            <Palette add={add} />
          </aside>
          <Separator
            pane="palette"
            label="Width of the node kinds"
            side="left"
            width={paletteWidth}
            collapse={palette.toggle}
          />
        </>
      )}
      <CanvasFrame actions={actions} findings={findings} pick={choice.pick} />
      {!choice.isHidden && (
        <Separator pane="panel" label="Width of the panel" side="right" width={panelWidth} collapse={choice.toggle} />
      )}
      {children}
    </div>
  );
}

/** A narrow screen shows either the palette or the panel's sheet, never both. */
function usePalette(hideSheet: () => void) {
  const { page, nodes } = useWork();
  const isUseful = () => page.may_change && isWide() && (isRoomy() || nodes.length <= FEW);
  const [isWished, setWished] = useRemembered("palette-open", isUseful, isBoolean);
  const [isOpen, setOpen] = useState(() => isWished && page.may_change && isWide());
  const toggle = () => {
    if (isNarrow()) hideSheet();
    else setWished(!isOpen);
    setOpen(!isOpen);
  };
  const makeRoom = () => {
    if (isNarrow()) setOpen(false);
  };
  return { isOpen, toggle, makeRoom };
}

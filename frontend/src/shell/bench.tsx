// Where the work is done: the toolbar, the palette, the canvas, and the panel beside it.

import { type ReactNode, useState } from "react";
import { isNarrow, isWide } from "../browser/screen";
import type { CanvasActions } from "../canvas/actions";
import { Canvas } from "../canvas/canvas";
import { Palette } from "../canvas/palette";
import { Toolbar } from "../canvas/toolbar";
import type { Finding } from "../checks/findings";
import type { PanelChoice } from "../panel/panel-choice";
import { useWork } from "../work";

type Props = { actions: CanvasActions; choice: PanelChoice; findings: Finding[]; children: ReactNode };

export function Bench({ actions, choice, findings, children }: Props) {
  const palette = usePalette(choice.hideSheet);
  const add = (kind: string) => {
    palette.makeRoom();
    actions.add(kind);
  };
  return (
    <div className={`bench ${palette.isOpen ? "has-palette" : ""}`}>
      <Toolbar actions={actions} palette={palette} panel={{ name: choice.panel.name, show: choice.show }} />
      {palette.isOpen && (
        <aside id="palette" aria-label="Node kinds">
          <Palette add={add} />
        </aside>
      )}
      <div className="canvas-frame">
        <Canvas findings={findings} add={actions.add} />
      </div>
      {children}
    </div>
  );
}

/** A narrow screen shows either the palette or the panel's sheet, never both. */
function usePalette(hideSheet: () => void) {
  const { page } = useWork();
  const [isOpen, setOpen] = useState(() => page.may_change && isWide());
  const toggle = () => {
    if (isNarrow()) hideSheet();
    setOpen(!isOpen);
  };
  const makeRoom = () => {
    if (isNarrow()) setOpen(false);
  };
  return { isOpen, toggle, makeRoom };
}

// The canvas and what opens over it: the search, the palette where a node is wanted.

import { useState } from "react";
import type { Finding } from "../checks/findings";
import type { Selection } from "../work";
import type { CanvasActions } from "./actions";
import { Canvas } from "./canvas";
import { useCanvasMenu } from "./canvas-menu";
import type { Wish } from "./connecting";
import { Find } from "./find";
import { HEIGHT, WIDTH } from "./node-size";
import { Picker } from "./picker";
import { Shortcuts } from "./shortcuts";

type Props = { actions: CanvasActions; findings: Finding[]; pick: (selection: Selection) => void };

export function CanvasFrame({ actions, findings, pick }: Props) {
  const [wish, ask] = useState<Wish | null>(null);
  const { onContextMenu, menu } = useCanvasMenu(actions, pick, ask);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what has the menu are the nodes and edges inside.
    <div className="canvas-frame" onContextMenu={onContextMenu}>
      <Canvas findings={findings} add={actions.add} pick={pick} ask={ask} />
      {actions.overlay === "find" && <Find close={actions.closeOverlay} />}
      {actions.overlay === "keys" && <Shortcuts close={actions.closeOverlay} />}
      {menu}
      {wish && (
        <Picker
          isBehind={!!wish.link?.isSource}
          at={wish.at}
          add={(kind) => actions.add(kind, placeFor(wish), wish.link)}
          close={() => ask(null)}
        />
      )}
    </div>
  );
}

/** A node that is led to begins where the edge was dropped; one that leads on ends there. */
function placeFor({ place: { x, y }, link }: Wish) {
  const left = !link ? x - WIDTH / 2 : link.isSource ? x : x - WIDTH;
  return { x: left, y: y - HEIGHT / 2 };
}

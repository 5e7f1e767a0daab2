// The canvas and what opens over it: the search, the palette where a node is wanted.

import { useState } from "react";
import type { Finding } from "../checks/findings";
import type { Selection } from "../work";
import type { CanvasActions } from "./actions";
import { Canvas } from "./canvas";
import type { Wish } from "./connecting";
import { Find } from "./find";
import { HEIGHT, WIDTH } from "./node-size";
import { Picker } from "./picker";

type Props = { actions: CanvasActions; findings: Finding[]; pick: (selection: Selection) => void };

export function CanvasFrame({ actions, findings, pick }: Props) {
  const [wish, ask] = useState<Wish | null>(null);
  return (
    <div className="canvas-frame">
      <Canvas findings={findings} add={actions.add} pick={pick} ask={ask} />
      {actions.overlay === "find" && <Find close={actions.closeOverlay} />}
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

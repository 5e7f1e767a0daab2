// Bring a node into sight.

import { useReactFlow, useStoreApi } from "@xyflow/react";
import { LEGIBLE } from "./fit";
import { HEIGHT, WIDTH } from "./node-size";

/** Moves the canvas to a node, by its key, unless the whole of it is seen and can be read. */
export function useReveal(): (key: string | undefined) => unknown {
  const { getNode, setCenter } = useReactFlow();
  const store = useStoreApi();
  const reveal = (key: string) => {
    const place = getNode(key)?.position;
    if (!place) return;
    const { transform, width, height } = store.getState();
    const [left, top, zoom] = transform;
    const [x, y] = [place.x * zoom + left, place.y * zoom + top];
    const isSeen = x >= 0 && y >= 0 && x + WIDTH * zoom <= width && y + HEIGHT * zoom <= height;
    if (isSeen && zoom >= LEGIBLE) return;
    void setCenter(place.x + WIDTH / 2, place.y + HEIGHT / 2, { zoom: Math.max(zoom, LEGIBLE) });
  };
  // In the next frame the panel has taken its room.
  return (key) => key && requestAnimationFrame(() => reveal(key));
}

// The editor over the whole screen, or over the whole window where the browser does not give more.

import { useEffect, useState } from "react";

export type FullScreen = { isFull: boolean; toggle: () => void };

export function useFullScreen(): FullScreen {
  const [isFull, setFull] = useState(false);
  useEffect(() => {
    // Escape ends it by the browser's own hand.
    const follow = () => document.fullscreenElement || setFull(false);
    document.addEventListener("fullscreenchange", follow);
    return () => document.removeEventListener("fullscreenchange", follow);
  }, []);
  const toggle = () => {
    setFull(!isFull);
    // The whole page, not the editor alone: toasts are outside of the editor.
    if (!isFull) void document.documentElement.requestFullscreen?.().catch(() => undefined);
    else if (document.fullscreenElement) void document.exitFullscreen();
  };
  return { isFull, toggle };
}

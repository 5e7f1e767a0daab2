// A notice that reads itself out and takes the focus, so that nobody overlooks it.

import { type ReactNode, useEffect, useRef } from "react";

/** `about` is what the alert is about: when that changes, the alert calls for attention once more. */
export function Alert({ kind, about, children }: { kind: "bad" | "warn"; about: unknown; children: ReactNode }) {
  const box = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another notice in the same box is shown anew.
  useEffect(() => {
    box.current?.focus();
    box.current?.scrollIntoView({ block: "nearest" });
  }, [about]);
  return (
    <section ref={box} className={`notice ${kind} stack`} role="alert" tabIndex={-1}>
      {children}
    </section>
  );
}

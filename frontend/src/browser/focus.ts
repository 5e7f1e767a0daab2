// Where the keyboard goes next.

/** The heading of the panel, once it shows what was chosen. */
export function focusPanel(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>("#panel h2")?.focus());
}

/** The canvas itself, whose keys then count. */
export function focusCanvas(): void {
  document.querySelector<HTMLElement>(".react-flow")?.focus();
}

/** A part on the canvas. */
export function focusPart(key: string | undefined): void {
  const part = [...document.querySelectorAll<HTMLElement>(".react-flow__node, .react-flow__edge")].find(
    (each) => each.dataset.id === key,
  );
  part?.focus();
}

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
    !target.matches("[type=checkbox]")
  );
}

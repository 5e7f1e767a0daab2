// Toasts end by themselves once they could be read, not while somebody points at them; they can be dismissed before.

const LEAST_MS = 6000;
const PER_CHARACTER_MS = 60;

/** Say the page's toasts aloud, and let these and all that come later end. */
export function announce(root) {
  const place = root.querySelector(".toasts");
  for (const toast of place.querySelectorAll(".toast")) {
    const words = toast.querySelector("[role=status]");
    const button = toast.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => toast.remove());
    // A live region that is there from the start is not read out; one that is put in again is.
    requestAnimationFrame(() => words.replaceWith(words));
    endInTime(toast, words.textContent);
  }
  // The editor puts its own here.
  new MutationObserver((changes) => {
    for (const added of changes.flatMap(({ addedNodes }) => [...addedNodes]))
      if (added.className === "toast") requestAnimationFrame(() => endInTime(added, added.textContent));
  }).observe(place, { childList: true });
}

function endInTime(toast, text) {
  let timer = 0;
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), LEAST_MS + PER_CHARACTER_MS * text.length);
  };
  const wait = () => clearTimeout(timer);
  for (const event of ["pointerenter", "focusin"]) toast.addEventListener(event, wait);
  for (const event of ["pointerleave", "focusout"]) toast.addEventListener(event, start);
  start();
}

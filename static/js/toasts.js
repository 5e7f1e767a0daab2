// Toasts stay until they are dismissed.

/** Say the page's toasts aloud and let them be dismissed. */
export function announce(root) {
  for (const toast of root.querySelectorAll(".toast")) {
    const words = toast.querySelector("[role=status]");
    const button = toast.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => toast.remove());
    // A live region that is there from the start is not read out; one that is put in again is.
    requestAnimationFrame(() => words.replaceWith(words));
  }
}

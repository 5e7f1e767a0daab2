// Buttons that copy the text of the element that they name in `data-copy`.

const SAID = "Copied";

/** Make every copy button under `root` work. They are hidden without this module. */
export function offerCopies(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const label = button.querySelector("[data-label]");
  const before = label.dataset.label;
  try {
    await navigator.clipboard.writeText(source.textContent);
    label.textContent = SAID;
  } catch {
    // Without a secure origin there is no clipboard: select the text, so that one key press copies it.
    getSelection().selectAllChildren(source);
    label.textContent = "Selected";
  }
  setTimeout(() => (label.textContent = before), 2000);
}

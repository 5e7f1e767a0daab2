// One toast at a time, where the page puts its own; the page's own script ends it.

export function toast(text: string): void {
  const words = document.createElement("p");
  words.setAttribute("role", "status");
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-label", "Dismiss");
  const box = document.createElement("div");
  box.className = "toast";
  box.append(words, button);
  button.addEventListener("click", () => box.remove());
  document.querySelector(".toasts")!.replaceChildren(box);
  // A live region is read out only when its text changes after it has appeared.
  requestAnimationFrame(() => (words.textContent = text));
}

// One toast at a time, in the page's own place for them; it stays until it is dismissed or another one comes.

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
  // Text that comes into a live region which is already there is read out.
  requestAnimationFrame(() => (words.textContent = text));
}

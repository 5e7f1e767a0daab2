// What the server draws below the editor: the published model and how to call it.

/** Fetch the page again and take this one part of it. Where that fails, the old part stays. */
export async function refreshBelow(url: string): Promise<void> {
  const below = document.getElementById("below-editor");
  if (!below) return;
  const response = await fetch(url, { credentials: "same-origin" }).catch(() => null);
  if (!response?.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("below-editor");
  if (fresh) below.replaceChildren(...fresh.childNodes);
  below.dispatchEvent(new CustomEvent("refreshed", { bubbles: true }));
}

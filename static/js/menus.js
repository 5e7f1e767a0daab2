// A menu is a `<details>`, which works by itself; here it also closes like one.

/** Close each menu under `root` by Escape, by a click elsewhere, and when the focus leaves it. */
export function closeMenus(root) {
  for (const menu of root.querySelectorAll("details.site-menu")) {
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    menu.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
    });
    document.addEventListener("click", ({ target }) => {
      if (!menu.contains(target)) menu.open = false;
    });
  }
}

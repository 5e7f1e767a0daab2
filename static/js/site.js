// On every page: times in the reader's zone, toasts that end, buttons that copy, menus that close.

import { offerCopies } from "./copy.js";
import { closeMenus } from "./menus.js";
import { localise } from "./times.js";
import { announce } from "./toasts.js";

localise(document);
announce(document);
offerCopies(document);
closeMenus(document);

// A part of the page that was fetched anew.
document.addEventListener("refreshed", ({ target }) => {
  localise(target);
  offerCopies(target);
});

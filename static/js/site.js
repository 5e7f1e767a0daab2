// On every page: times in the reader's zone, toasts that can be dismissed, buttons that copy.

import { offerCopies } from "./copy.js";
import { localise } from "./times.js";
import { announce } from "./toasts.js";

localise(document);
announce(document);
offerCopies(document);

// A part of the page that was fetched anew.
document.addEventListener("refreshed", ({ target }) => {
  localise(target);
  offerCopies(target);
});

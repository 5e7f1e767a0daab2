// Names for what Django's admin and select2 leave without one, so that a screen reader can say what a field is.

const SEARCH = ".select2-search__field, [role=combobox], [role=textbox]";

const nameParts = (parts, name) => {
  for (const part of parts) {
    part.setAttribute("aria-label", name);
  }
};

const nameAutocomplete = (select) => {
  const name = select.labels[0]?.textContent.trim().replace(/:$/, "") ?? "Search";
  const container = select.nextElementSibling;
  nameParts(container?.querySelectorAll(SEARCH) ?? [], name);
  if (container?.classList.contains("select2-container--open")) {
    // The list that has opened hangs at the end of the page.
    nameParts(document.querySelectorAll(`.select2-dropdown ${SEARCH}`), name);
  }
};

const nameAll = () => {
  document.querySelectorAll("select.admin-autocomplete").forEach(nameAutocomplete);
};

document.getElementById("searchbar")?.setAttribute("aria-label", "Search");
nameAll();
// select2 makes its parts when the page is ready, and some of them anew with each choice.
new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });

// Whether the form differs from what is saved: says so, keeps Deploy from reading the wrong thing, warns on leaving.

const PATIENCE_MS = 5000;

/** Watch `form` and show its state by the elements marked `data-unsaved` and `data-deploy`. */
export function watchChanges(form) {
  const badge = document.querySelector("[data-unsaved]");
  const deploy = document.querySelector("[data-deploy]");
  const explanation = document.getElementById("deploy-explanation");
  let isLeaving = false;

  const refresh = () => {
    const isUnsaved = fields(form).some(differs);
    badge.classList.toggle("is-off", !isUnsaved);
    document.querySelector("[data-save]").classList.toggle("main", isUnsaved);
    deploy.classList.toggle("main", !isUnsaved && "due" in deploy.dataset);
    deploy.setAttribute("aria-disabled", String(isUnsaved));
    explanation.textContent = isUnsaved ? explanation.dataset.unsaved : explanation.dataset.saved;
    explanation.classList.remove("is-asked");
    return isUnsaved;
  };

  form.addEventListener("input", refresh);
  form.addEventListener("submit", (event) => {
    if (event.submitter === deploy && refresh()) {
      event.preventDefault();
      explanation.classList.add("is-asked");
    } else if (isLeaving) {
      event.preventDefault(); // the second click of a double click
    } else {
      isLeaving = true;
      // Somebody may stop the request on its way; then the page is still theirs.
      setTimeout(() => (isLeaving = false), PATIENCE_MS);
    }
  });
  addEventListener("pageshow", () => {
    isLeaving = false;
    refresh();
  });
  addEventListener("beforeunload", (event) => {
    if (!isLeaving && refresh()) event.preventDefault();
  });
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      form.requestSubmit(document.querySelector("[data-save]"));
    }
  });
}

/** The fields that carry beside them what is saved, as a hidden field named `initial-…`. */
function fields(form) {
  return [...form.elements].filter((field) => form.elements.namedItem(`initial-${field.name}`));
}

function differs(field) {
  const saved = field.form.elements.namedItem(`initial-${field.name}`).value;
  if (field.type === "checkbox") return field.checked !== (saved === "True");
  return plain(field.value) !== plain(saved);
}

function plain(text) {
  return text.replace(/\r\n?/g, "\n").trim();
}

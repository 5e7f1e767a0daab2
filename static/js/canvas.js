// What is selected on the canvas decides what the panel shows: a node's details, or the flow's own properties.

const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

/** Show in `panel` what is chosen on `canvas`, by pointer or by keys. */
export function followCanvas(canvas, panel) {
  const nodes = [...canvas.querySelectorAll("[data-node]")];
  const show = (node) => select(nodes, panel, node);

  canvas.addEventListener("click", (event) => {
    const node = event.target.closest("[data-node]");
    event.preventDefault();
    show(node);
    if (node && event.detail === 0) focusPanel(panel);
  });
  canvas.addEventListener("keydown", (event) => {
    const node = event.target.closest("[data-node]");
    if (event.key === "Escape") show(null);
    else if (event.key === " " && node)
      node.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    else if (event.key in ARROWS && nodes.length) neighbour(nodes, node, ARROWS[event.key])?.focus();
    else return;
    event.preventDefault();
  });
  // Links to nodes elsewhere on the page: diagnostics, neighbours in the panel, the way back.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-shows]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(nodes.find((node) => node.dataset.node === link.dataset.shows) ?? null);
    focusPanel(panel);
  });
}

function select(nodes, panel, chosen) {
  for (const node of nodes) node.setAttribute("aria-current", String(node === chosen));
  const wanted = chosen ? chosen.dataset.panel : "panel-flow";
  for (const part of panel.children) part.hidden = part.id !== wanted;
  history.replaceState(null, "", chosen ? chosen.getAttribute("href") : location.pathname);
}

function focusPanel(panel) {
  const part = [...panel.children].find((child) => !child.hidden);
  part.querySelector("h2").focus();
  part.scrollIntoView({ block: "nearest" });
}

/** The nearest node in the direction of an arrow key; the first one when none has the focus yet. */
function neighbour(nodes, from, [right, down]) {
  if (!from) return nodes[0];
  const here = centre(from);
  let best = null;
  let least = Infinity;
  for (const node of nodes) {
    const there = centre(node);
    const ahead = (there.x - here.x) * right + (there.y - here.y) * down;
    const aside = Math.abs((there.x - here.x) * down) + Math.abs((there.y - here.y) * right);
    const distance = ahead + 2 * aside;
    if (ahead > 1 && distance < least) [best, least] = [node, distance];
  }
  return best;
}

function centre(node) {
  const box = node.getBoundingClientRect();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

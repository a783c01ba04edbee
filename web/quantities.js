// Lights all that is of one quantity: whoever points at a name, taps it, or comes to its
// link with the keyboard sees the quantity in words, formulas, code and figures.

(() => {
  const drawn = {
    stream: ".diagram .edge-thickness-thick",
    slope: ".diagram .edge-pattern-dotted",
  };
  let shown = ""; // the quantity that is lit
  let waiting;

  // Mark the parts of the page's figures that have the colour of one of its quantities.
  function markFigures() {
    const marks = document.querySelectorAll("article [data-quantity]");
    for (const name of new Set([...marks].map((mark) => mark.dataset.quantity))) {
      const paint = `var(--${name})`;
      const parts = [`[fill="${paint}"]`, `[stroke="${paint}"]`].map((each) => `.drawing ${each}`);
      parts.push(`.diagram .node.${name}`, ...[drawn[name] ?? []].flat());
      for (const part of document.querySelectorAll(parts)) part.dataset.quantity = name;
    }
  }

  function light(name) {
    if (name === shown) return;
    shown = name;
    for (const each of document.querySelectorAll(".lit")) each.classList.remove("lit");
    const all = name ? `article [data-quantity="${name}"]` : "none";
    for (const each of document.querySelectorAll(all)) each.classList.add("lit");
  }

  // A pointer that only passes lights nothing.
  function point({ target, type, pointerType }) {
    if (pointerType === "touch" && type === "pointerover") return; // a click will follow
    const name = target.closest?.("[data-quantity]")?.dataset.quantity ?? "";
    clearTimeout(waiting);
    if (type === "pointerover") waiting = setTimeout(() => light(name), 120);
    else light(name);
  }

  for (const type of ["pointerover", "click", "focusin"]) addEventListener(type, point);

  document$.subscribe(() => {
    shown = "";
    markFigures();
  });
})();

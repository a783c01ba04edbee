// Numbers as coloured cells, with three decimals. The arrow keys go from one to the
// next, and the one under the pointer, the finger or the focus tells its exact value.

import { arrow, fixed, h } from "./controls.js";

// A number as a cell: blue above zero, orange below; `most` has the full colour.
export function number(value, what, most) {
  const cell = h("button", {
    type: "button",
    className: value < 0 ? "num num-below" : "num",
    ariaLabel: `${what}: ${value}`,
    tabIndex: -1,
  });
  cell.textContent = fixed(value, 3);
  cell.style.setProperty("--share", share(value, most));
  cell.dataset.tip = `${what} = ${value}`;
  return cell;
}

// How much of the full colour a number has, from 0 to 1.
export function share(value, most) {
  const part = Math.abs(value) / most;
  return Number.isFinite(part) ? Math.min(1, part) : 0;
}

// The number farthest from zero in lists of lists of numbers.
export function farthest(lists) {
  const sizes = lists.flat(Infinity).filter(Number.isFinite).map(Math.abs);
  return Math.max(0, ...sizes) || 1;
}

// A table of numbers: `head` names the columns, each row has a `name` and `values`. A
// value is a number, {text} or null. `marked` is the column that stands out.
export function numberTable(label, head, rows, most, marked = -1) {
  const mark = (column) => (column === marked ? "num-marked" : "");
  const names = head.map((name, i) =>
    h("th", { scope: "col", className: mark(i) }, name),
  );
  const lines = rows.map(({ name, values, className = "" }) =>
    h(
      "tr",
      { className },
      h("th", { scope: "row" }, name),
      ...values.map((value, i) => {
        if (value === null) return h("td");
        if (value.text !== undefined) return h("td", {}, value.text);
        return h("td", { className: mark(i) }, number(value, `${name}, ${head[i]}`, most));
      }),
    ),
  );
  const table = h(
    "table",
    { className: "num-table", ariaLabel: label },
    h("thead", {}, h("tr", {}, h("td"), ...names)),
    h("tbody", {}, ...lines),
  );
  roam(table, ".num");
  return h("div", { className: "num-scroll" }, table);
}

// Let the arrow keys go through the cells of a frame, which is one stop of the Tab key.
export function roam(frame, selector, onVisit = () => {}) {
  const all = () => [...frame.querySelectorAll(selector)];
  const first = all()[0];
  if (first) first.tabIndex = 0;
  frame.addEventListener("focusin", ({ target }) => {
    if (!target.matches(selector)) return;
    for (const cell of all()) cell.tabIndex = cell === target ? 0 : -1;
    onVisit(target);
  });
  frame.addEventListener("keydown", (event) => {
    const here = event.target.closest(selector);
    const direction = arrow(event);
    if (!here || !direction) return;
    event.preventDefault();
    neighbour(all(), here, direction)?.focus();
  });
}

// The next cell in a direction; at the end of a line, the first of the next one.
function neighbour(cells, here, [down, right]) {
  if (right) return cells[Math.max(0, Math.min(cells.indexOf(here) + right, cells.length - 1))];
  const { left, top } = here.getBoundingClientRect();
  let best = null;
  for (const cell of cells) {
    const box = cell.getBoundingClientRect();
    const below = (box.top - top) * down;
    if (below < 4) continue;
    const distance = [below, Math.abs(box.left - left)];
    const isNearer =
      !best || distance[0] < best.distance[0] - 4 ||
      (distance[0] < best.distance[0] + 4 && distance[1] < best.distance[1]);
    if (isNearer) best = { cell, distance };
  }
  return best?.cell;
}

// Replace what is in a frame; a cell that had the focus hands it to its successor.
export function redraw(frame, selector, ...children) {
  const before = [...frame.querySelectorAll(selector)].indexOf(document.activeElement);
  const scrolled = [...frame.querySelectorAll(".num-scroll")].map((box) => box.scrollLeft);
  frame.replaceChildren(...children.filter(Boolean));
  frame.querySelectorAll(".num-scroll").forEach((box, i) => (box.scrollLeft = scrolled[i] ?? 0));
  if (before < 0) return;
  const cells = [...frame.querySelectorAll(selector)];
  cells[Math.min(before, cells.length - 1)]?.focus();
}

// Show what the cell says under the pointer, the finger or the focus: its data-tip.
export function tips(body) {
  const tip = h("div", { className: "num-tip", hidden: true, ariaHidden: "true" });
  body.classList.add("num-tips");
  body.append(tip);

  function show(event) {
    const cell = event.target.closest?.("[data-tip]");
    tip.hidden = !cell;
    if (!cell) return;
    tip.textContent = cell.dataset.tip;
    const frame = body.getBoundingClientRect();
    const box = cell.getBoundingClientRect();
    const room = frame.width - tip.offsetWidth;
    const left = box.left + box.width / 2 - frame.left - tip.offsetWidth / 2;
    tip.style.left = `${Math.max(0, Math.min(left, room))}px`;
    tip.style.top = `${box.top - frame.top - tip.offsetHeight - 4}px`;
  }

  const hide = () => (tip.hidden = true);
  for (const kind of ["pointerover", "focusin", "click"]) body.addEventListener(kind, show);
  for (const kind of ["pointerleave", "focusout"]) body.addEventListener(kind, hide);
  body.addEventListener("keydown", ({ key }) => key === "Escape" && hide());
}

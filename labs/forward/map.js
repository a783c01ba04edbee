// The book's map of the model, with the numbers that flow in it.

import { button, h, svg } from "../shared/controls.js";
import { farthest, share } from "../shared/numbers.js";

const DRAWING = new URL("../../figures/map.svg", import.meta.url);
const WAY = { left: 2, top: 43, width: 264, height: 551 }; // from the embedding to the guess
const LEARNING = 256; // what stands right of this is the way back
const TALL = 7; // of a strip of numbers

// Return the map: its `frame`, in which each region has a button, `fill({region: numbers})`,
// `mark(regions)`, and `pass(token, guess)` for what goes in and comes out. A region that
// was never filled has no button.
export async function loadMap() {
  const answer = await fetch(DRAWING);
  const text = await answer.text();
  const drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  drawing.querySelector("style").remove();
  drawing.querySelector("title").remove(); // it would be shown over every button
  drawing.setAttribute("viewBox", Object.values(WAY).join(" "));
  drawing.setAttribute("width", WAY.width);
  drawing.setAttribute("height", WAY.height);
  for (const shape of drawing.querySelectorAll(".region")) {
    if (parseFloat(shape.dataset.at) > LEARNING) shape.remove();
  }
  // Nor the arrows that come from there, or lead to where the map ends
  for (const line of drawing.querySelectorAll("line")) {
    const [x, y] = [line.getAttribute("x1"), line.getAttribute("y2")].map(Number);
    if (x < LEARNING && y < WAY.top + WAY.height) continue;
    line.nextElementSibling.remove(); // its head
    line.remove();
  }
  drawing.ariaHidden = "true";
  const frame = h("div", { className: "fwd-map", role: "group", ariaLabel: "Stages" });
  frame.append(document.adoptNode(drawing));
  const regions = new Map(); // region: {shape, entry, cells}

  function region(name, count) {
    const known = regions.get(name);
    if (known?.cells.length === count) return known;
    const shape = drawing.querySelector(`[data-region="${name}"]`);
    const [left, top, width, height] = shape.dataset.at.split(" ").map(Number);
    const entry = known?.entry ?? overlay(name, left, top, width, height + TALL);
    known?.strip.remove();
    const cells = [...Array(count).keys()].map((i) =>
      svg("rect", { x: left + (i * width) / count, y: top + height, width: width / count, height: TALL }),
    );
    const ground = svg("rect", { x: left, y: top + height, width, height: TALL, class: "fwd-ground" });
    const strip = svg("g", { class: "fwd-strip" }, ground, ...cells);
    drawing.append(strip);
    regions.set(name, { shape, entry, strip, cells });
    return regions.get(name);
  }

  // Put a button over a region.
  function overlay(name, left, top, width, height) {
    const entry = button("", () => entry.focus());
    Object.assign(entry, { ariaLabel: name, title: name, tabIndex: regions.size ? -1 : 0 });
    entry.dataset.region = name;
    Object.assign(entry.style, {
      left: `${(100 * (left - WAY.left)) / WAY.width}%`,
      top: `${(100 * (top - WAY.top)) / WAY.height}%`,
      width: `${(100 * width) / WAY.width}%`,
      height: `${(100 * height) / WAY.height}%`,
    });
    frame.append(entry);
    return entry;
  }

  function fill(numbers) {
    for (const [name, values] of Object.entries(numbers)) {
      const most = farthest([values]);
      const { cells } = region(name, values.length);
      for (const [i, cell] of cells.entries()) {
        cell.setAttribute("class", values[i] < 0 ? "fwd-below" : "fwd-above");
        cell.style.fillOpacity = share(values[i], most);
      }
    }
  }

  function mark(names) {
    for (const [name, { shape, entry }] of regions) {
      const isHere = names.includes(name);
      shape.classList.toggle("here", isHere);
      entry.tabIndex = name === names[0] ? 0 : -1;
      if (isHere) entry.setAttribute("aria-current", "step");
      else entry.removeAttribute("aria-current");
    }
  }

  const [entered, guessed] = [tile(160, 55), tile(247, 568)];
  drawing.append(entered, guessed);

  function pass(token, guess) {
    entered.lastChild.textContent = token;
    guessed.lastChild.textContent = guess;
  }

  return { frame, fill, mark, pass };
}

// A token around a middle.
function tile(x, y) {
  return svg(
    "g",
    { class: "fwd-tile" },
    svg("rect", { x: x - 17, y: y - 11, width: 34, height: 22, rx: 2 }),
    svg("text", { x, y: y + 5, "text-anchor": "middle", "font-size": 13 }),
  );
}

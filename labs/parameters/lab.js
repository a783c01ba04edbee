// The parameters' lab: all matrices to scale, and what each of their numbers is for.

import { draw, inFrame, limitOf, onScheme, Scale } from "../shared/heatmap.js";
import { arrow, choice, count, fixed, h, modelChoice } from "../shared/controls.js";
import { Trainer } from "../shared/trainer.js";

const LIMIT = 0.5; // values beyond it have the full colour
const REST = 250; // milliseconds between two looks at a model that is being trained
const GAP = 14; // pixels between matrices
const NARROW = 500; // pixels of width that are too few for five columns
const SLIM = 110; // pixels of a matrix that are too few for two lines of words
const HINT = "Click or tap a number, or go to a matrix and use the arrow keys.";
const CELL = { least: 2, most: 12 }; // pixels

export default async function parameters(body, lab) {
  const settings = { model: "trained", show: "values" };
  const tiles = new Map(); // name → Tile
  let answer = null; // what is shown
  let chosen = null; // {matrix, row, column}

  const trainer = new Trainer(lab, "training.step", [1, 10, 100], {
    onStart: () => model.choose("yours"),
    onStep: tellStep,
    begin: beginAgain,
    onRestart: takeUp,
  });
  const learned = h("p", {}, "Train a model of your own, and watch its matrices change.");
  const facts = h("p", {});
  const ends = [h("span", {}), h("span", {}, "0"), h("span", {})];
  const legend = h("div", { className: "heat-legend" }, h("div", { ariaHidden: true }), ...ends);
  const info = h("div", { className: "param-info" }, facts, legend);
  const map = h("div", { className: "param-map" });
  const readout = h("p", { className: "param-readout", role: "status" });

  async function look() {
    const found = await lab.ask("parameters.matrices", settings);
    if (!found) return;
    answer = found;
    arrange();
    paint();
    if (chosen) tell();
  }

  const paint = inFrame(() => {
    const numbers = answer.matrices.flatMap((matrix) => matrix.numbers);
    const limit = settings.show === "values" ? LIMIT : limitOf(numbers);
    const scale = new Scale(map, limit);
    for (const matrix of answer.matrices) {
      draw(tiles.get(matrix.name).canvas, matrix.numbers, scale);
    }
    ends[0].textContent = `-${limit} or less`;
    ends[2].textContent = `${limit} or more`;
    const isUnknown = settings.show === "slopes" && numbers.every((number) => number === 0);
    facts.textContent =
      `${count(answer.total)} parameters in ${answer.matrices.length} matrices. ` +
      "A square is a number." +
      (isUnknown ? " All slopes are 0: no step was made since Python started." : "");
  });

  // Make tiles for the matrices, unless there are some of these shapes already.
  function arrange() {
    const key = JSON.stringify(answer.matrices.map(({ name, shape }) => [name, shape]));
    if (map.dataset.shapes === key) return;
    map.dataset.shapes = key;
    tiles.clear();
    const blocks = new Map();
    for (const matrix of answer.matrices) {
      const [layer, kind] = matrix.name.includes(".") ? matrix.name.split(".") : ["", matrix.name];
      const tile = new Tile(matrix, kind, choose);
      tiles.set(matrix.name, tile);
      if (!blocks.has(layer)) blocks.set(layer, []);
      blocks.get(layer).push(tile.element);
    }
    const parts = [...blocks].map(([layer, elements]) => {
      const kind = layer ? "param-block param-layer" : "param-block param-ends";
      const head = layer ? h("p", { className: "param-name" }, layer) : info;
      return h("div", { className: kind }, head, ...elements);
    });
    map.replaceChildren(...parts);
    chosen = null;
    readout.classList.remove("chosen");
    readout.textContent = HINT;
    measure();
  }

  // Let all squares have the greatest size that leaves room for the widest row.
  function measure() {
    if (!answer) return;
    const isNarrow = map.clientWidth < NARROW;
    const room = isNarrow ? map.clientWidth : map.clientWidth - 4 * GAP;
    const cell = Math.floor(room / ((isNarrow ? 4 : 5) * answer.width));
    const size = Math.max(CELL.least, Math.min(CELL.most, cell));
    map.classList.toggle("narrow", isNarrow);
    map.classList.toggle("slim", size * answer.width < SLIM);
    map.style.setProperty("--cell", `${size}px`);
  }

  function choose(matrix, row, column) {
    chosen = { matrix, row, column };
    for (const [name, tile] of tiles) tile.mark(name === matrix ? chosen : null);
    tell();
  }

  async function tell() {
    const { matrix, row, column } = chosen;
    const found = await lab.ask("parameters.cell", { model: settings.model, ...chosen });
    if (!found) return;
    const more = ["slope", "m", "v"].filter((what) => found[what] !== null);
    readout.classList.add("chosen");
    readout.replaceChildren(
      h("b", {}, `${matrix}, row ${row}, column ${column}: ${fixed(found.value)}`),
      `, ${found.meaning}`,
      ...more.map((what) => `; ${what} ${brief(found[what])}`),
    );
  }

  function tellStep({ loss, doc }) {
    learned.textContent = `It has learned from “${doc}”, with a loss of ${fixed(loss)}.`;
  }

  // Go on with the training that there is, or begin one.
  async function takeUp() {
    const status = await lab.ask("training.status");
    if (status) trainer.stand(status.losses.length, status.info.steps, status.trouble);
    else if (status === null) await begin({});
  }

  async function begin(args) {
    const info = await lab.begin("training.begin", args);
    if (info) trainer.stand(0, info.steps);
  }

  // Begin anew, with the settings of the training that there is.
  async function beginAgain() {
    const status = await lab.ask("training.status");
    if (!status) return;
    const { seed, steps, learning_rate, sizes } = status.info;
    const { names, data } = status;
    await begin({ seed, steps, learning_rate, ...sizes, names, data });
    learned.textContent = "Your model is as it was before training: no step is done.";
    await model.choose("yours");
  }

  const set = (name) => (value) => ((settings[name] = value), look());
  const model = modelChoice(lab, set("model"), REST);
  const shown = { values: "values", slopes: "slopes of the last step" };
  const show = choice("Show", shown, settings.show, set("show"));
  body.append(
    h("div", { className: "lab-row" }, model, show),
    h("div", { className: "lab-row" }, ...trainer.buttons),
    trainer.said,
    learned,
    map,
    readout,
  );
  new ResizeObserver(measure).observe(map);
  onScheme(lab.machine, paint);
  await takeUp();
  await model.choose(settings.model);
}

// A number with three digits that count, however small it is.
function brief(number) {
  return typeof number === "number" ? String(Number(number.toPrecision(3))) : number;
}

// A matrix: its canvas, on which a number can be chosen by pointer and by keys.
class Tile {
  constructor({ name, purpose, shape: [rows, columns] }, kind, choose) {
    Object.assign(this, { name, rows, columns, choose, row: 0, column: 0 });
    this.canvas = h("canvas", { width: columns, height: rows, ariaHidden: true });
    this.spot = h("span", { className: "param-spot", hidden: true });
    const words = `${name}, ${rows} × ${columns}: ${purpose}. Arrow keys choose a number.`;
    const properties = { className: "param-cells", tabIndex: 0, role: "application" };
    this.cells = h("div", { ...properties, ariaLabel: words }, this.canvas, this.spot);
    this.cells.style.setProperty("--rows", rows);
    this.cells.style.setProperty("--columns", columns);
    this.cells.addEventListener("click", (event) => this.#point(event));
    this.cells.addEventListener("keydown", (event) => this.#press(event));
    const size = h("span", { className: "param-size" }, `${rows} × ${columns}`);
    const caption = h("p", {}, h("b", {}, kind), " ", size, " ", h("span", {}, purpose));
    this.element = h("div", { className: `param-tile param-${kind}` }, caption, this.cells);
  }

  // Show which number is chosen, {row, column}, or that none is.
  mark(place) {
    this.spot.hidden = !place;
    if (!place) return;
    [this.row, this.column] = [place.row, place.column];
    this.spot.style.setProperty("--row", place.row);
    this.spot.style.setProperty("--column", place.column);
  }

  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    this.#go(
      Math.floor(((event.clientY - box.top) / box.height) * this.rows),
      Math.floor(((event.clientX - box.left) / box.width) * this.columns),
    );
  }

  #press(event) {
    const [down, right] = arrow(event) ?? [0, 0];
    if (!down && !right && event.key !== "Enter") return;
    event.preventDefault();
    this.#go(this.row + down, this.column + right);
  }

  #go(row, column) {
    const within = (number, size) => Math.max(0, Math.min(number, size - 1));
    this.choose(this.name, within(row, this.rows), within(column, this.columns));
  }
}

// A chart of numbers over steps, for those who look, point, touch, or use the keyboard.
//
//   const axes = { x: "step", y: "loss", low: 2, high: 3.5 };
//   const chart = new Chart("Loss of each step", axes, [
//     { name: "one step", kind: "points" },
//     { name: "mean of 50", kind: "line", look: 1, label: true },
//   ]);
//   body.append(chart.element);
//   chart.most = 1000;                        // no step beyond this one will come
//   chart.levels = [{ name: "blind", value: 3.3 }]; // horizontal lines with their names
//   chart.push([2.31, 2.4]);                  // one more step: a number for each series
//   chart.fill([[2.31, 2.2], [2.4, 2.3]]);    // all steps anew: an array for each series
//
// The first step has the number 1. What is no number ("nan", null) is not drawn. A
// series has a `look` from 0 to 4, a colour and a kind of line; with `label` its name
// also stands at the end of its line. `series` can be set anew; then the chart is empty.
// The y axis reaches at least from `low` to `high`, and at most to twice the highest level:
// a caret at its edge marks what is beyond. Names stand in the legend or to the right of
// what is drawn. All is drawn at most once a frame, and only what has changed.

import { count, fixed, h, svg } from "./controls.js";

const ENDS = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]; // ends of the x axis
const MANY = 2000; // steps; if there are more, every fifth is drawn
const PIECE = 200; // steps in a piece of a line: only the last piece is drawn anew
const LINE = 13; // height of a line of text
const ROOMY = 420; // width from which lines have names
const HINT = "Point at the chart, or move along it with the arrow keys, to read its values.";

// Return the mean of the last values, at most so many; null if there is none.
export function recentMean(values, width) {
  const recent = values.slice(-width);
  if (!recent.length || !recent.every(isNumber)) return null;
  return recent.reduce((a, b) => a + b) / recent.length;
}

// Return that mean at each of the values.
export function movingMean(values, width) {
  const upTo = (end) => values.slice(Math.max(0, end - width), end);
  return values.map((_, i) => recentMean(upTo(i + 1), width));
}

export class Chart {
  #series = [];
  #values = []; // for each series
  #range = [Infinity, -Infinity]; // the least and the greatest of them
  #drawn = 0; // steps that are drawn
  #levels = [];
  #most = Infinity;
  #width = 0;
  #height = 0;
  #frame = null; // what the axes show: {left, right, top, bottom, end, low, high}
  #waits = false;
  #cursor = null; // the step that is read

  constructor(label, axes, series) {
    this.axes = axes;
    this.grid = svg("g", { class: "chart-grid" });
    this.lines = svg("g", {});
    this.marks = svg("g", { class: "chart-levels" });
    this.names = svg("g", { class: "chart-names" });
    this.hair = svg("line", { class: "chart-hair", visibility: "hidden" });
    this.picture = svg(
      "svg",
      {
        role: "slider",
        tabindex: "0",
        "aria-label": label,
        "aria-valuemin": "0",
        "aria-valuenow": "0",
      },
      ...[this.grid, this.lines, this.marks, this.names, this.hair],
    );
    this.legend = h("ul", { className: "chart-legend" });
    this.beyond = h("li", { hidden: true });
    this.said = h("p", { className: "chart-said", role: "status" }, HINT);
    const box = h("div", { className: "chart-box" }, this.picture);
    this.element = h("div", { className: "chart" }, this.legend, box, this.said);
    this.series = series;
    this.#listen();
    new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect)).observe(box);
  }

  set series(series) {
    this.#series = series.map((each) => {
      const group = svg("g", { class: `chart-${each.kind} chart-look-${each.look ?? 0}` });
      return { ...each, group };
    });
    this.lines.replaceChildren(...this.#series.map(({ group }) => group));
    this.#drawLegend();
    this.fill(series.map(() => []));
  }

  set most(most) {
    this.#most = most;
    this.#change();
  }

  set levels(levels) {
    this.#levels = levels;
    this.#frame = null;
    this.#drawLegend();
    this.#change();
  }

  get length() {
    return Math.max(0, ...this.#values.map((values) => values.length));
  }

  push(numbers) {
    numbers.forEach((number, i) => this.#values[i].push(number));
    this.#widen(numbers);
    this.#change();
  }

  fill(values) {
    this.#values = values.map((each) => [...each]);
    this.#range = [Infinity, -Infinity];
    this.#values.forEach((each) => this.#widen(each));
    if (this.#cursor > this.length) this.#read(null);
    this.#frame = null;
    this.#change();
  }

  // Drawing

  #widen(numbers) {
    for (const number of numbers.filter(isNumber)) {
      if (number < this.#range[0]) this.#range[0] = number;
      if (number > this.#range[1]) this.#range[1] = number;
    }
  }

  #change() {
    if (this.#waits) return;
    this.#waits = true;
    requestAnimationFrame(() => {
      this.#waits = false;
      if (this.#width) this.#draw();
    });
  }

  #resize({ width }) {
    this.#width = Math.round(width);
    this.#height = Math.round(Math.min(320, Math.max(220, width * 0.55)));
    this.picture.setAttribute("viewBox", `0 0 ${this.#width} ${this.#height}`);
    this.picture.setAttribute("height", this.#height);
    this.#frame = null;
    this.#change();
  }

  #draw() {
    const frame = this.#measure();
    if (JSON.stringify(frame) !== JSON.stringify(this.#frame)) {
      this.#frame = frame;
      this.#drawn = 0;
      this.#drawAxes();
      this.#drawLevels();
    }
    this.#series.forEach((each, i) => this.#drawSeries(each, this.#values[i]));
    this.#drawn = this.length;
    this.#drawNames();
    this.#drawHair();
    this.#tellBeyond();
    this.picture.setAttribute("aria-valuemax", this.length);
  }

  // The lines that have their names at their ends, if there is room
  #named() {
    return this.#width < ROOMY ? [] : this.#series.filter(({ label }) => label);
  }

  // What the axes have to show
  #measure() {
    const levels = this.#levels.map(({ value }) => value);
    const top = 2 * Math.max(0, ...levels) || Infinity; // what is beyond stands there
    const low = Math.min(this.axes.low, this.#range[0], ...levels);
    const high = Math.max(this.axes.high, Math.min(top, this.#range[1]), ...levels);
    const tick = nice((high - low) / 4);
    const steps = ENDS.find((end) => end >= this.length) ?? this.length;
    const names = this.#named().map(({ name }) => name.length);
    return {
      left: 50,
      right: this.#width - Math.max(names.length ? 0 : 34, 12 + 7 * Math.max(0, ...names)),
      top: 10,
      bottom: this.#height - 38,
      end: Math.min(this.#most, steps),
      low: Math.floor(low / tick + 1e-9) * tick,
      high: Math.ceil(high / tick - 1e-9) * tick,
      tick,
    };
  }

  #x(step) {
    const { left, right, end } = this.#frame;
    return Math.round(10 * (left + ((right - left) * step) / end)) / 10;
  }

  #y(value) {
    const { top, bottom, low, high } = this.#frame;
    const share = Math.min(1, (value - low) / (high - low));
    return Math.round(10 * (bottom - (bottom - top) * share)) / 10;
  }

  #drawAxes() {
    const { left, right, top, bottom, end, low, high, tick } = this.#frame;
    const parts = [];
    const decimals = Math.max(0, Math.ceil(-Math.log10(tick) - 1e-9));
    for (let i = Math.round(low / tick); i <= Math.round(high / tick); i++) {
      const y = this.#y(i * tick);
      parts.push(svg("line", { x1: left, x2: right, y1: y, y2: y }));
      parts.push(words(left - 6, y + 4, fixed(i * tick, decimals), "end"));
    }
    const every = Math.max(1, nice(end / Math.max(2, (right - left) / 90)));
    for (let step = 0; step <= end; step += every) {
      const x = this.#x(step);
      parts.push(svg("line", { x1: x, x2: x, y1: bottom, y2: bottom + 4 }));
      parts.push(words(x, bottom + 16, count(step), "middle"));
    }
    parts.push(words((left + right) / 2, bottom + 33, this.axes.x, "middle"));
    const middle = words(11, (top + bottom) / 2, this.axes.y, "middle");
    middle.setAttribute("transform", `rotate(-90 11 ${(top + bottom) / 2})`);
    this.grid.replaceChildren(...parts, middle);
  }

  #drawLegend() {
    const levels = this.#levels.map(({ name, value }, i) => {
      const shown = `${name}, ${fixed(value, 2)}`;
      return legendItem({ name: shown, kind: `level-${i}`, look: "level" });
    });
    this.legend.replaceChildren(...this.#series.map(legendItem), ...levels, this.beyond);
  }

  // The lines of the levels; their numbers stand beside them if no names do
  #drawLevels() {
    const { left, right } = this.#frame;
    let last = -Infinity; // where the number above stands
    const marks = this.#levels.map(({ value }, i) => ({ value, i, y: this.#y(value) }));
    marks.sort((a, b) => a.y - b.y);
    this.marks.replaceChildren(
      ...marks.flatMap(({ value, i, y }) => {
        last = Math.max(y + 4, last + LINE);
        const line = svg("line", { x1: left, x2: right, y1: y, y2: y, class: `chart-level-${i}` });
        const hasRoom = !this.#series.some(({ label }) => label);
        return hasRoom ? [line, words(right + 5, last, fixed(value, 2), "start")] : [line];
      }),
    );
  }

  // Say what the carets at the edge mean
  #tellBeyond() {
    const most = this.#range[1];
    this.beyond.hidden = !(most > this.#frame.high);
    if (this.beyond.hidden) return;
    const step = this.#values.find((each) => each.includes(most)).indexOf(most) + 1;
    const value = most.toLocaleString("en", { maximumFractionDigits: 1 });
    this.beyond.textContent = `^ beyond the chart, up to ${value} at step ${count(step)}`;
  }

  // Draw those pieces of a line that are new or have grown
  #drawSeries({ kind, group }, values) {
    const first = Math.floor(this.#drawn / PIECE);
    while (group.childElementCount > first) group.lastChild.remove();
    for (let start = first * PIECE; start < values.length; start += PIECE) {
      const end = Math.min(values.length, start + PIECE + (kind === "line"));
      group.append(svg("path", { d: this.#path(values, kind, start, end) }));
    }
  }

  // The path through values[start] and those up to values[end - 1]
  #path(values, kind, start, end) {
    const stride = this.#frame.end > MANY ? 5 : 1;
    let path = "";
    let pen = "M";
    let wasBeyond = false;
    for (let i = start; i < end; i++) {
      const value = values[i];
      const isBeyond = isNumber(value) && value > this.#frame.high;
      if (isBeyond && (!wasBeyond || kind === "points")) path += this.#caret(i + 1);
      if (isBeyond || !isNumber(value)) pen = "M";
      else if (i % stride === 0) {
        path += `${pen}${this.#x(i + 1)} ${this.#y(value)}`;
        if (kind === "points") path += "h0";
        else pen = "L";
      }
      wasBeyond = isBeyond;
    }
    return path;
  }

  #caret(step) {
    return `M${this.#x(step) - 4} ${this.#frame.top + 5}l4 -5l4 5`;
  }

  // Names at the ends of lines, pushed apart where they would touch
  #drawNames() {
    const ends = this.#named()
      .map((each) => ({ look: 0, ...each, values: this.#values[this.#series.indexOf(each)] }))
      .filter(({ values }) => isNumber(values.at(-1)))
      .map((each) => ({ ...each, y: this.#y(each.values.at(-1)) + 4 }))
      .sort((a, b) => a.y - b.y);
    ends.forEach((each, i) => {
      if (i) each.y = Math.max(each.y, ends[i - 1].y + LINE);
    });
    const over = ends.length ? Math.max(0, ends.at(-1).y - this.#frame.bottom) : 0;
    this.names.replaceChildren(
      ...ends.map(({ name, look, y, values }) => {
        const text = words(this.#x(values.length) + 6, y - over, name, "start");
        text.setAttribute("class", `chart-look-${look}`);
        return text;
      }),
    );
  }

  #drawHair() {
    this.hair.setAttribute("visibility", this.#cursor ? "visible" : "hidden");
    if (!this.#cursor) return;
    const { top, bottom } = this.#frame;
    const x = this.#x(this.#cursor);
    const places = { x1: x, x2: x, y1: top, y2: bottom };
    for (const [name, place] of Object.entries(places)) this.hair.setAttribute(name, place);
  }

  // Reading

  #listen() {
    const point = ({ clientX }) => {
      if (!this.#frame || !this.length) return;
      const { left, right, end } = this.#frame;
      const x = clientX - this.picture.getBoundingClientRect().left;
      this.#read(Math.round(((x - left) / (right - left)) * end));
    };
    this.picture.addEventListener("pointerdown", point);
    this.picture.addEventListener("pointermove", point);
    this.picture.addEventListener("keydown", (event) => {
      const here = this.#cursor ?? 0;
      const far = Math.max(2, Math.round(this.length / 10));
      const goals = { ArrowRight: here + 1, ArrowUp: here + 1, ArrowLeft: here - 1 };
      Object.assign(goals, { ArrowDown: here - 1, PageUp: here + far, PageDown: here - far });
      Object.assign(goals, { Home: 1, End: this.length, Escape: null });
      if (!(event.key in goals) || !this.length) return;
      event.preventDefault();
      this.#read(goals[event.key]);
    });
  }

  // Say the values at a step
  #read(step) {
    this.#cursor = step === null ? null : Math.min(this.length, Math.max(1, step));
    const told = this.#series.map(({ name }, i) => {
      const value = this.#values[i][this.#cursor - 1];
      return value === undefined || value === null ? null : `${name}: ${fixed(value)}`;
    });
    const where = `${this.axes.x} ${count(this.#cursor ?? 0)}`;
    this.said.textContent = this.#cursor
      ? `${where} – ${told.filter(Boolean).join("; ")}`
      : HINT;
    this.picture.setAttribute("aria-valuenow", this.#cursor ?? 0);
    this.picture.setAttribute("aria-valuetext", this.#cursor ? where : "no step chosen");
    this.#change();
  }
}

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

// The next round number: 1, 2 or 5 times a power of ten
function nice(size) {
  const power = 10 ** Math.floor(Math.log10(size));
  return power * ([1, 2, 5].find((n) => n * power >= size * 0.999) ?? 10);
}

function words(x, y, text, anchor) {
  return svg("text", { x, y, "text-anchor": anchor }, text.replace(/^-/, "−"));
}

function legendItem({ name, kind, look = 0 }) {
  const d = kind === "points" ? "M8 6h0M17 6h0M26 6h0" : "M2 6H32";
  const sample = svg("path", { d, class: `chart-${kind} chart-look-${look}` });
  const box = { width: 34, height: 12, viewBox: "0 0 34 12", "aria-hidden": "true" };
  return h("li", {}, svg("svg", box, sample), " ", name);
}

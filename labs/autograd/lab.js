// The autograd lab: an expression, its graph, and the backward pass step by step.

import { button, choice, field, h, textField } from "../shared/controls.js";
import { GraphView, layOut } from "../shared/graph.js";

const OWN = "own"; // the choice when the reader has typed
const PAUSE = 300; // milliseconds without a key until what was typed is read
const BEAT = 1600; // milliseconds a step when it plays
const ARROWS_MEAN =
  "An arrow leads from a number to what is made of it. Once the walk has used it, it shows its " +
  "local gradient: how many times as fast the lower number changes as the upper one.";

export default async function autograd(body, lab) {
  const presets = await lab.ask("autograd.presets");
  if (!presets) return;
  const view = new GraphView();
  const values = valueTable();
  const checks = checkTable();
  const numbers = {}; // of the inputs, by name
  const inputs = inputControls((name, number) => ((numbers[name] = number), compute()));
  const stepper = stepControls(show);
  const said = h("div", { className: "lab-said ag-said", role: "status" });
  const notes = h("p", { className: "ag-notes" });
  const shown = h(
    "div",
    { className: "ag-shown" },
    inputs.element,
    stepper.element,
    said,
    h("p", { className: "lab-note" }, ARROWS_MEAN),
    view.element,
    h("details", {}, h("summary", {}, "The graph as a table"), values.element),
    notes,
    checks.element,
  );
  const titles = Object.fromEntries(presets.map(({ title }, i) => [i, title]));
  const example = choice("Example", { ...titles, [OWN]: "your own" }, "0", take);
  const typed = textField("Expression", "", wait);
  const text = typed.querySelector("input");
  let answer = null;
  let shape = ""; // of the graph that is drawn
  let asked = 0;
  let typing = 0;

  function take(which) {
    if (which === OWN) return text.focus();
    text.value = presets[which].expression;
    Object.assign(numbers, presets[which].values);
    inputs.set(numbers);
    return compute();
  }

  async function compute() {
    clearTimeout(typing);
    const number = ++asked;
    const args = { expression: text.value, values: { ...numbers } };
    const got = await lab.ask("autograd.differentiate", args);
    if (number !== asked) return;
    text.setAttribute("aria-invalid", !got);
    if (!got) return stepper.pause();
    const newShape = JSON.stringify(got.nodes.map((n) => [n.name, n.operation, n.children]));
    const isNew = newShape !== shape;
    const layout = isNew ? await layOut(lab.machine, got.nodes).catch(() => null) : null;
    if (number !== asked) return;
    answer = got;
    inputs.offer(got.inputs);
    if (isNew) {
      shape = layout ? newShape : "";
      if (layout) view.draw(layout, got.nodes);
      else view.clear("The graph could not be drawn. The table below has all of it.");
    }
    values.fill(got.nodes, isNew);
    checks.fill(got);
    notes.textContent = got.notes.join(" ");
    stepper.offer(got.steps.length - 1, isNew);
    show(stepper.at);
  }

  function show(at, isStep = false) {
    const { nodes, steps } = answer;
    const { node, says, rules, grads } = steps[at];
    const done = new Set(steps.slice(0, at + 1).filter((s) => s.rules.length).map((s) => s.node));
    if (shape) view.show(nodes, grads, node, done);
    values.show(grads, node);
    const list = h("ul", {}, ...rules.map((rule) => h("li", {}, h("code", {}, rule))));
    const count = h("b", {}, `Step ${at} of ${steps.length - 1}. `);
    said.replaceChildren(h("p", {}, count, says), list);
    if (isStep) view.reveal(node ?? answer.result);
  }

  function wait() {
    example.querySelector("select").value = OWN;
    clearTimeout(typing);
    typing = setTimeout(compute, PAUSE);
  }

  const row = h("div", { className: "lab-row ag-typed" }, example, typed);
  lab.results = [...shown.children].filter((part) => part !== inputs.element);
  body.append(row, lab.message, shown); // what is wrong is said where it was typed
  await take("0");
}

// A slider and a number for each input.
function inputControls(onInput) {
  const element = h("div", { className: "lab-row ag-inputs" });
  const controls = new Map(); // name → {element, set}
  let names = "";

  function control(name) {
    const range = h("input", { type: "range", min: -3, max: 3, step: 0.1 });
    const ariaLabel = `${name} as a number`;
    const number = h("input", { type: "number", min: -100, max: 100, step: 0.1, ariaLabel });
    const set = (value) => (range.value = number.value = value);
    range.addEventListener("input", () => {
      number.value = range.value;
      onInput(name, range.valueAsNumber);
    });
    number.addEventListener("input", () => {
      range.value = number.value;
      onInput(name, number.valueAsNumber);
    });
    return { element: h("div", { className: "ag-input" }, field(name, range), number), set };
  }

  return {
    element,
    // Offer these inputs; those that were there stay as they are.
    offer(inputs) {
      for (const [name, value] of Object.entries(inputs)) {
        if (controls.has(name)) continue;
        controls.set(name, control(name));
        controls.get(name).set(value);
      }
      const now = Object.keys(inputs).join("");
      if (now === names) return;
      names = now;
      element.replaceChildren(...[...now].map((name) => controls.get(name).element));
    },
    set(numbers) {
      for (const [name, value] of Object.entries(numbers)) controls.get(name)?.set(value);
    },
  };
}

// The buttons and the slider that lead through the steps; `at` is where it is.
function stepControls(onStep) {
  let at = 0;
  let last = 0;
  let timer = 0;

  const range = h("input", { type: "range", min: 0, step: 1 });
  const count = h("span", { className: "ag-count" });
  const first = button("First", () => move(0));
  const back = button("Back", () => move(at - 1));
  const forward = button("Forward", () => move(at + 1));
  const end = button("Last", () => move(last));
  const player = button("Play", () => (timer ? pause() : play()));

  function show() {
    range.max = last;
    range.value = at;
    range.setAttribute("aria-valuetext", `${at} of ${last}`);
    count.textContent = `${at} of ${last}`;
    for (const each of [first, back]) each.setAttribute("aria-disabled", at === 0);
    for (const each of [forward, end]) each.setAttribute("aria-disabled", at === last);
  }

  function go(to) {
    const wanted = Math.max(0, Math.min(last, to));
    if (wanted === at) return;
    at = wanted;
    show();
    onStep(at, true);
  }

  function move(to) {
    pause();
    go(to);
  }

  function play() {
    if (at === last) go(0);
    timer = setInterval(() => {
      if (!range.isConnected || at === last) return pause();
      return go(at + 1);
    }, BEAT);
    player.textContent = "Pause";
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    player.textContent = "Play";
  }

  const keys = {
    ArrowLeft: () => at - 1,
    ArrowRight: () => at + 1,
    Home: () => 0,
    End: () => last,
  };
  const buttons = [first, back, player, forward, end];
  const element = h(
    "div",
    { className: "lab-row ag-steps", role: "group", ariaLabel: "Backward pass" },
    field(["Step ", count], range),
    ...buttons,
  );
  range.addEventListener("input", () => move(range.valueAsNumber));
  element.addEventListener("keydown", (event) => {
    const to = keys[event.key];
    if (!to || event.target === range || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    move(to());
  });

  return {
    element,
    pause,
    get at() {
      return at;
    },
    // Offer so many steps, from the beginning if they are those of another graph.
    offer(steps, isNew) {
      if (isNew) pause();
      last = steps;
      at = isNew ? 0 : Math.min(at, last);
      show();
    },
  };
}

function table(caption, heads) {
  const rows = h("tbody");
  const cells = heads.map((head) => h("th", { scope: "col" }, head));
  const element = h(
    "table",
    { className: "ag-table" },
    caption,
    h("thead", {}, h("tr", {}, ...cells)),
    rows,
  );
  return { rows, element: h("div", { className: "ag-scroll" }, element) };
}

function row(name, ...texts) {
  const cells = texts.map((text) => h("td", {}, text));
  return h("tr", {}, h("th", { scope: "row" }, name), ...cells);
}

function write(line, first, texts) {
  texts.forEach((text, i) => {
    const cell = line.cells[first + i];
    if (cell.textContent !== text) cell.textContent = text;
  });
}

// The nodes as a table: children come before what was made of them.
function valueTable() {
  const heads = ["value", "made by", "data", "grad"];
  const { rows, element } = table(h("caption", {}, "Children stand above."), heads);
  let names = [];
  return {
    element,
    fill(nodes, isNew) {
      names = nodes.map(({ name }) => name);
      if (isNew) {
        rows.replaceChildren(...nodes.map(({ name }) => row(name, "", "", "")));
      }
      nodes.forEach((node, i) => write(rows.rows[i], 1, [node.formula, node.shown]));
    },
    show(grads, turn) {
      grads.forEach((grad, i) => {
        write(rows.rows[i], 3, [grad]);
        rows.rows[i].classList.toggle("turn", names[i] === turn);
      });
    },
  };
}

// The slopes of the inputs beside what nudging finds.
function checkTable() {
  const caption = h("caption");
  const { rows, element } = table(caption, ["input", "grad at the end", "by nudging", ""]);
  return {
    element,
    fill({ checks, nudge }) {
      element.hidden = checks.length === 0;
      caption.textContent =
        `The check: move one input ${nudge} up and ${nudge} down, and divide the change ` +
        `of the result by ${2 * nudge}.`;
      const now = [...rows.rows].map((line) => line.cells[0].textContent).join("");
      if (now !== checks.map(({ name }) => name).join("")) {
        rows.replaceChildren(...checks.map(({ name }) => row(name, "", "", "")));
      }
      checks.forEach(({ grad, nudged, says }, i) => {
        write(rows.rows[i], 1, [grad, nudged, says]);
        rows.rows[i].classList.toggle("odd", says !== "agrees");
      });
    },
  };
}

// The forward pass's lab: from a token to the guess about the next one, stage by stage.

import { button, fixed, h, modelChoice, textField } from "../shared/controls.js";
import { farthest, number, redraw, roam, tips } from "../shared/numbers.js";
import { loadMap } from "./map.js";

const REST = 400; // milliseconds between two looks at a model that is being trained
const LIKELIEST = 8; // tokens that have a bar
const KINDS = { wte: "token", wpe: "token", x: "stream" }; // what a vector's label names
for (const name of ["hidden", "active", "thought"]) KINDS[name] = "mlp";
for (const name of ["query", "key", "value"]) KINDS[name] = name;

export default async function forward(body, lab) {
  const wanted = { model: "trained", text: "emma", position: 0 };
  let shown = null; // what forward.walk answered
  let stage = 0;
  let layer = 1; // the one that the map shows
  const places = h("div", { className: "fwd-places", role: "group", ariaLabel: "Position" });
  const layers = h("div", { className: "fwd-layers", role: "group", ariaLabel: "Layer" });
  const map = await loadMap();
  const said = h("p", { className: "fwd-said", role: "status" });
  const panel = h("div", { className: "fwd-panel" });

  async function walk() {
    const answer = await lab.ask("forward.walk", wanted);
    if (!answer) return;
    shown = answer;
    drawPlaces();
    drawLayers();
    const { names, probs } = shown.guess;
    map.pass(shown.tokens[shown.position], names[probs.indexOf(Math.max(...probs))]);
    show(Math.min(stage, shown.stages.length - 1));
  }

  function drawPlaces() {
    const { tokens, position } = shown;
    const chips = tokens.map((token, i) => {
      const chip = button(token, () => chip.focus());
      chip.ariaLabel = `${token}, position ${i}`;
      chip.setAttribute("aria-pressed", i === position);
      chip.dataset.place = i;
      return chip;
    });
    redraw(places, "button", ...chips);
    for (const [i, chip] of chips.entries()) chip.tabIndex = i === position ? 0 : -1;
  }

  // Where there are several layers, the map shows one of them.
  function drawLayers() {
    const count = Math.max(...shown.stages.map(({ layer }) => layer));
    const choices = [...Array(count > 1 ? count : 0).keys()].map((i) =>
      button(`Layer ${i + 1}`, () => show(shown.stages.findIndex((s) => s.layer === i + 1))),
    );
    redraw(layers, "button", ...choices);
  }

  // Show a stage; the map marks it, and the Tab key comes to it there.
  function show(index) {
    stage = index;
    const { title, said: text, code, shape, groups, at } = shown.stages[stage];
    layer = shown.stages[stage].layer || layer;
    const count = shown.stages.length;
    const where = `Stage ${stage + 1} of ${count}: ${title}`;
    said.replaceChildren(h("b", {}, where), " ", text);
    for (const [i, choice] of [...layers.children].entries()) {
      choice.setAttribute("aria-pressed", i + 1 === layer);
    }
    for (const each of shown.stages) {
      if (each.layer === 0 || each.layer === layer) map.fill(each.at);
    }
    map.mark(Object.keys(at));
    back.setAttribute("aria-disabled", stage === 0);
    next.setAttribute("aria-disabled", stage === count - 1);
    const most = farthest(groups.map(({ values }) => values));
    const isLast = stage === count - 1;
    redraw(
      panel,
      ".num",
      h("pre", { className: "fwd-code" }, h("code", {}, code.join("\n"))),
      h("p", { className: "fwd-shape" }, "Makes ", shape, "."),
      isLast ? bars(shown.guess) : null,
      vectors(groups, most),
    );
  }

  function step(by) {
    if (shown) show(Math.max(0, Math.min(stage + by, shown.stages.length - 1)));
  }

  const back = button("← Previous", () => step(-1));
  const next = button("Next →", () => step(1));
  roam(places, "button", (chip) => {
    const position = Number(chip.dataset.place);
    if (position === wanted.position) return;
    wanted.position = position;
    walk();
  });
  roam(map.frame, "button", ({ dataset: { region } }) => {
    const isThere = (each) => region in each.at && (each.layer === 0 || each.layer === layer);
    const index = shown?.stages.findIndex(isThere) ?? stage;
    if (index !== stage) show(index);
  });
  function setText(text) {
    wanted.text = text;
    wanted.position = Math.min(wanted.position, [...text].length);
    walk();
  }

  const word = textField("Word", wanted.text, setText, { size: 16 });
  const model = modelChoice(lab, (name) => ((wanted.model = name), walk()), REST);
  lab.results = [
    h("div", { className: "fwd-where" }, h("span", {}, "Position"), places),
    h(
      "div",
      { className: "fwd" },
      h(
        "div",
        { className: "fwd-side" },
        h("div", { className: "fwd-steps" }, back, next, layers),
        map.frame,
      ),
      h("section", { className: "fwd-stage", ariaLabel: "The stage" }, said, panel),
    ),
  ];
  body.append(h("div", { className: "lab-row" }, word, model), ...lab.results);
  tips(body);
  await model.choose(wanted.model);
}

// All vectors of a stage; the arrow keys go through all their numbers.
function vectors(groups, most) {
  const each = groups.map((group) => vector(group, most));
  const frame = h("div", { className: "fwd-groups" }, ...each);
  frame.classList.toggle("fwd-heads", groups.every(({ values }) => values.length < 8));
  roam(frame, ".num");
  return frame;
}

function vector({ label, values, names }, most) {
  const items = values.map((value, i) => {
    const name = names?.[i];
    const what = name === undefined ? `${label}, number ${i}` : `${label}, ${name}`;
    const above = name === undefined ? null : h("span", { ariaHidden: "true" }, name);
    return h("li", {}, above, number(value, what, most));
  });
  const numbers = h("ol", { className: "fwd-numbers", ariaLabel: label }, ...items);
  numbers.style.setProperty("--columns", Math.min(8, values.length));
  const kind = KINDS[label.split(",")[0]] ?? "";
  return h("div", {}, h("div", { className: `fwd-label ${kind}` }, label), numbers);
}

// The likeliest tokens with their probabilities, and the one that follows in the word.
function bars({ names, probs, next }) {
  const order = [...names.keys()].sort((a, b) => probs[b] - probs[a]);
  const shown = order.slice(0, LIKELIEST);
  if (!shown.includes(next)) shown.push(next);
  const most = farthest([probs]);
  const items = shown.map((token) => {
    const line = h("span", { className: "fwd-bar" });
    line.style.setProperty("--share", probs[token] / most || 0);
    const isNext = token === next;
    return h(
      "li",
      { className: isNext ? "fwd-next" : "" },
      h("b", {}, names[token]),
      line,
      h("span", {}, fixed(probs[token], 3)),
      h("span", {}, isNext ? "← is next" : ""),
    );
  });
  return h("ol", { className: "fwd-bars", ariaLabel: "The likeliest tokens" }, ...items);
}

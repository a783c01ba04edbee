// Attention's lab: where each head looks over a word of one's own; a cell opens the
// arithmetic behind its weight.

import { MODELS, fixed, h, modelChoice, textField } from "../shared/controls.js";
import { farthest, number, numberTable, redraw, roam, share, tips } from "../shared/numbers.js";

const REST = 400; // milliseconds between two looks at a model that is being trained

export default async function attention(body, lab) {
  const wanted = { model: "trained", beside: "", text: "sarah" };
  const open = { side: 0, layer: 0, head: 0, position: 5, column: 2 };
  let shown = null; // what attention.look answered
  let behind = null; // what attention.row answered
  const said = h("p", { className: "lab-said", role: "status" });
  const maps = h("div", { className: "att-maps" });
  const steps = h("section", { className: "att-steps", ariaLabel: "What is behind the weight" });

  async function look() {
    const which = [...new Set([wanted.model, wanted.beside])].filter(Boolean);
    const answer = await lab.ask("attention.look", { which, text: wanted.text });
    if (!answer) return;
    shown = { ...answer, names: distinct(answer.tokens) };
    keepInside();
    said.textContent = sentence(shown);
    drawMaps();
    await explain();
  }

  // What was open may not be there in another word or model.
  function keepInside() {
    const { models, tokens } = shown;
    open.side = Math.min(open.side, models.length - 1);
    const { layers } = models[open.side];
    open.layer = Math.min(open.layer, layers.length - 1);
    open.head = Math.min(open.head, layers[open.layer].length - 1);
    open.position = Math.min(open.position, tokens.length - 1);
    open.column = Math.min(open.column, open.position);
  }

  function drawMaps() {
    const most = Math.max(...shown.models.map(({ layers }) => layers.length));
    const figures = [];
    for (let layer = 0; layer < most; layer++) {
      const heads = Math.max(...shown.models.map(({ layers }) => layers[layer]?.length ?? 0));
      for (let head = 0; head < heads; head++) figures.push(figure(layer, head));
    }
    redraw(maps, ".att-cell", ...figures);
    maps.style.setProperty("--columns", shown.tokens.length);
    maps.classList.toggle("att-two", shown.models.length > 1);
    mark();
  }

  function figure(layer, head) {
    const isDeep = shown.models.some(({ layers }) => layers.length > 1);
    const title = isDeep ? `Layer ${layer + 1}, head ${head + 1}` : `Head ${head + 1}`;
    const pair = shown.models.map(({ name, layers }, side) => {
      const weights = layers[layer]?.[head];
      if (!weights) return null;
      const place = { side, layer, head };
      const caption = shown.models.length > 1 ? `${title}, ${MODELS[name]}` : title;
      return map(caption, weights, place);
    });
    return h("div", { className: "att-head" }, ...pair);
  }

  function map(caption, { weights, sums }, place) {
    const { tokens } = shown;
    const rows = weights.map((row, position) => {
      const left = tokens.length - row.length;
      const cells = row.map((weight, column) => cell(weight, { ...place, position, column }));
      const rest = left ? h("td", { colSpan: left, className: "att-none" }) : null;
      const sum = h("td", { className: "att-sum" }, fixed(sums[position], 2));
      return h("tr", {}, h("th", { scope: "row" }, tokens[position]), ...cells, rest, sum);
    });
    const letters = tokens.map((token) => h("th", { scope: "col" }, token));
    const table = h(
      "table",
      { className: "att-map", ariaLabel: caption },
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, h("td"), ...letters, h("th", { scope: "col" }, "sum"))),
      h("tbody", {}, ...rows),
    );
    return h("div", { className: "num-scroll" }, table);
  }

  function cell(weight, place) {
    const { names } = shown;
    const what = `${names[place.position]} looks at ${names[place.column]}`;
    const button = h("button", {
      type: "button",
      className: "att-cell",
      ariaLabel: `${what}: ${fixed(weight, 2)}`,
      tabIndex: -1,
    });
    button.textContent = fixed(weight, 2);
    button.style.setProperty("--share", Math.sqrt(share(weight, 1))); // small ones differ too
    Object.assign(button.dataset, place, { tip: `${what}: ${weight}` });
    return h("td", {}, button);
  }

  // Let the open cell stand out, and be where the Tab key comes to in its map.
  function mark() {
    for (const table of maps.querySelectorAll("table")) {
      const cells = [...table.querySelectorAll(".att-cell")];
      const chosen = cells.find(({ dataset }) =>
        Object.entries(open).every(([name, value]) => Number(dataset[name]) === value),
      );
      for (const each of cells) {
        each.setAttribute("aria-pressed", each === chosen);
        each.tabIndex = -1;
      }
      (chosen ?? cells[0]).tabIndex = 0;
    }
  }

  async function visit({ dataset }) {
    const place = Object.fromEntries(
      Object.keys(open).map((name) => [name, Number(dataset[name])]),
    );
    const isSameRow = ["side", "layer", "head", "position"].every((n) => place[n] === open[n]);
    Object.assign(open, place);
    mark();
    if (isSameRow && behind) drawSteps();
    else await explain();
  }

  async function explain() {
    const { side, layer, head, position } = open;
    const model = shown.models[side].name;
    const place = { model, text: shown.text, layer, head, position };
    const answer = await lab.ask("attention.row", place);
    if (!answer) return;
    behind = answer;
    drawSteps();
  }

  function drawSteps() {
    const { side, layer, head, position, column } = open;
    const { names, models } = shown;
    const seen = names.slice(0, position + 1);
    if (behind.weights.length !== seen.length) return; // another row is on its way
    const deep = models[side].layers.length > 1 ? `layer ${layer + 1}, ` : "";
    const title =
      `${seen[position]} looks at ${seen[column]}: ` +
      `${deep}head ${head + 1}, ${MODELS[models[side].name]}`;
    redraw(
      steps,
      ".num",
      h("p", { className: "att-title" }, title),
      ...compare(behind, seen, column),
      ...scale(behind, column),
      ...weigh(behind, seen, column),
      ...mix(behind, seen, column),
    );
  }

  const set = (name) => (value) => ((wanted[name] = value), look());
  const word = textField("Word", wanted.text, set("text"), { size: 16 });
  const model = modelChoice(lab, set("model"), REST);
  const aside = { label: "Compare with", none: "nothing" };
  const beside = modelChoice(lab, set("beside"), REST, aside);
  roam(maps, ".att-cell", visit);
  maps.addEventListener("click", ({ target }) => target.closest(".att-cell")?.focus());
  lab.results = [said, maps, steps];
  body.append(h("div", { className: "lab-row" }, word, model, beside), ...lab.results);
  tips(body);
  await model.choose(wanted.model);
  await beside.choose(wanted.beside);
}

function sentence({ tokens }) {
  return tokens.length === 1
    ? "With BOS alone there is one position, and it can only look at itself."
    : "A row is the position that looks, a column one it looks at; later ones it cannot " +
        "see. Each row sums to 1. Choose a cell: below is how its weight comes about.";
}

// Name tokens apart: those that occur more than once get the numbers of their positions.
function distinct(tokens) {
  const isTwice = (token) => tokens.indexOf(token) < tokens.lastIndexOf(token);
  return tokens.map((token, i) => (isTwice(token) ? `${token} (${i})` : token));
}

// The four steps from query and keys to what a head hands on

function compare({ query, keys, products, scores }, seen, column) {
  const from = seen.at(-1);
  const to = seen[column];
  const rows = [
    { name: `query of ${from}`, values: [...query, null], className: "query" },
    { name: `key of ${to}`, values: [...keys[column], null], className: "key" },
    { name: "product", values: [...products[column], scores[column]], className: "num-total" },
  ];
  const most = farthest([query, keys, products]);
  return [
    step("1", "Compare. ", `The numbers of ${from}’s query and ${to}’s key are multiplied, ` +
      "pair by pair, and the products added up: the dot product is the score."),
    numberTable("Dot product", [...places(query), "sum"], rows, most),
  ];
}

function scale({ query, root, scores, scaled }, column) {
  const most = farthest([scores, scaled]);
  return [
    step("2", "Scale. ", `The score is divided by √${query.length}, the root of the head’s ` +
      "number of dimensions."),
    equation(
      number(scores[column], "score", most),
      ` / ${fixed(root, 3)} = `,
      number(scaled[column], "scaled score", most),
    ),
  ];
}

function weigh({ scaled, log_total: logTotal, weights }, seen, column) {
  const rows = [
    { name: "scaled score", values: scaled },
    { name: "weight", values: weights, className: "num-total" },
  ];
  return [
    step("3", "Softmax. ", "Over the whole row: e to the power of each scaled score, divided " +
      "by the sum of all of them. The program subtracts the logarithm of that sum, " +
      `${fixed(logTotal, 3)}, instead. The weights sum to 1.`),
    numberTable("Softmax over the row", seen, rows, farthest([scaled, weights]), column),
    equation(
      "e^(",
      number(scaled[column], "scaled score", farthest([scaled])),
      " − ",
      number(logTotal, "logarithm of the sum", farthest([logTotal, scaled])),
      ") = ",
      number(weights[column], "weight", 1),
    ),
  ];
}

function mix({ weights, values, parts, out }, seen, column) {
  const rows = values.map((value, i) => ({
    name: `value of ${seen[i]}`,
    values: [weights[i], ...value],
    className: i === column ? "value num-chosen" : "value",
  }));
  rows.push(
    { name: `${seen[column]}: weight × value`, values: [null, ...parts[column]] },
    { name: "sum over the row", values: [null, ...out], className: "num-total" },
  );
  return [
    step("4", "Mix. ", "Each value is multiplied by its weight, and all are added up. The sum is " +
      "what this head hands on."),
    numberTable(
      "Weighted sum of the values", ["weight", ...places(out)], rows, farthest([weights, values]),
    ),
  ];
}

function step(number, title, text) {
  return h("p", { className: "att-step" }, h("b", {}, `${number}. ${title}`), text);
}

function equation(...parts) {
  const line = h("p", { className: "num-equation" }, ...parts);
  roam(line, ".num");
  return line;
}

const places = (vector) => vector.map((_, i) => String(i));

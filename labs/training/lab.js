// The training lab: the program trains, step by step, and what happens is drawn.

import { Chart, movingMean, recentMean } from "../shared/chart.js";
import { button, choice, count, field, fixed, h, nameList } from "../shared/controls.js";
import { option, percent, seldom } from "../shared/controls.js";
import { Trainer } from "../shared/trainer.js";
import { listPart } from "../shared/list.js";

const RATES = [0.0001, 0.0003, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3, 1];
const RATE = 0.01; // the program's
const DEFAULTS = { n_embd: 16, n_head: 4, n_layer: 1, block_size: 16, steps: 1000, seed: 42 };
const WIDTH = 50; // steps in the moving mean
const BETWEEN = 800; // milliseconds between two looks at documents and parameter

export default async function training(body, lab) {
  const losses = [];
  let info = null; // what the training was begun with

  const numbers = tiles(["step", "loss", `mean of ${WIDTH}`, "learning rate now"]);
  const chart = new Chart(
    "The loss of each step",
    { x: "step", y: "loss, nats per token", low: 2, high: 4 },
    [
      { name: "loss of one step", kind: "points", look: 0 },
      { name: `mean of the last ${WIDTH}`, kind: "line", look: 1 },
    ],
  );
  const about = h("p", { className: "lab-note" });
  const documents = documentsPart(lab);
  const parameter = parameterPart(lab);
  const log = h("ol", { className: "train-log", tabIndex: 0, ariaLabel: "Samples" });
  const list = listPart(() => {
    if (losses.length) trainer.said.textContent = "Reset begins anew with what is chosen now.";
    else trainer.reset();
  });
  const settings = settingsPart();
  const rate = ratePart((learning_rate) => {
    if (info) lab.ask("training.set_learning_rate", { learning_rate });
  });
  const look = () => Promise.all([documents.look(), parameter.look()]);
  const lookNow = seldom(look, BETWEEN);
  const trainer = new Trainer(lab, "training.step", [1, 10, 100], {
    onStep: show,
    onRest: look,
    begin,
    onRestart: () => trainer.takeUp(begin, showAgain),
  });

  function show(told) {
    losses.push(told.loss);
    chart.push([told.loss, recentMean(losses, WIDTH)]);
    showNumbers(told.rate);
    log.prepend(...told.log.map(entry));
    lookNow();
  }

  function showNumbers(rateNow) {
    const last = losses.at(-1);
    const mean = recentMean(losses, WIDTH);
    numbers.show([
      `${count(losses.length)} of ${count(info.steps)}`,
      last === undefined ? "–" : fixed(last),
      mean === null ? "–" : fixed(mean),
      rateNow ? short(rateNow) : "–",
    ]);
  }

  // Begin with the settings, unless something is wrong with them
  async function begin() {
    const learned = await lab.attempt(list.given());
    const args = { ...settings.values(), learning_rate: rate.value(), ...learned };
    if (!learned || !(await lab.begin("training.begin", args))) return;
    showAll(await lab.ask("training.status"));
    await look();
  }

  // What another worker knows is the last finished step, and perhaps not the rate
  async function showAgain(status) {
    showAll(status);
    await lab.ask("training.set_learning_rate", { learning_rate: rate.value() });
  }

  // Show a training as it is
  function showAll(status) {
    info = status.info;
    losses.splice(0, losses.length, ...status.losses);
    chart.most = info.steps;
    chart.levels = [
      { name: "blind guessing", value: info.uniform },
      { name: "counting pairs", value: info.bigram },
    ];
    chart.fill([losses, movingMean(losses, WIDTH)]);
    log.replaceChildren(...status.log.map(entry).reverse());
    about.textContent = describe(info);
    parameter.offer(info);
    trainer.stand(losses.length, info.steps, status.trouble);
    showNumbers(status.rate);
  }

  // Take the settings that the page's address holds
  function read(address) {
    const asked = new URLSearchParams(address.search);
    settings.set(Object.fromEntries(asked));
    rate.set(Number(asked.get("learning_rate")));
    list.set(asked.get("names"));
  }

  // The page's address with the settings, at the heading above the lab
  function address() {
    const { names } = list;
    const held = { ...settings.values(), learning_rate: rate.value(), ...(names && { names }) };
    const headings = [...document.querySelectorAll("article [id]:is(h1, h2, h3)")];
    const isAbove = (heading) => heading.compareDocumentPosition(body) & 4;
    const here = new URL(location.pathname, location);
    here.search = new URLSearchParams(held);
    here.hash = headings.findLast(isAbove)?.id ?? "";
    return here.href;
  }

  async function copyLink() {
    const link = address();
    const isCopied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
    const without = list.isOwn ? " Your own list is not in it." : "";
    copied.textContent = (isCopied ? "The link is copied." : `The link: ${link}`) + without;
  }
  const copied = h("span", { role: "status" });

  body.append(
    h("div", { className: "lab-row" }, list.control, rate.control),
    list.own,
    h("div", { className: "lab-row" }, ...trainer.buttons),
    trainer.said,
    lab.message, // here it is seen from the buttons
    numbers.list,
    h(
      "div",
      { className: "train-cockpit" },
      chart.element,
      h("section", {}, h("h4", {}, "Names that it makes up"), log),
    ),
    about,
    settings.control(trainer.reset, copyLink, copied),
    documents.element,
    parameter.element,
  );

  const status = await lab.ask("training.status");
  const isLinked = location.search.includes("n_embd=");
  if (!status || isLinked) {
    read(location);
    // From here on a reload goes on with what is trained.
    if (isLinked) history.replaceState(history.state, "", location.pathname + location.hash);
    await trainer.reset();
    if (info) return;
  }
  const why = lab.message.textContent;
  settings.set(status ? { ...status.info.sizes, ...status.info } : DEFAULTS);
  rate.set(status?.learning_rate ?? RATE);
  list.set(status?.names ?? "names", status?.data);
  if (status) {
    showAll(status);
    await look();
  } else {
    await trainer.reset();
  }
  if (why) lab.say(`What the link asks for cannot be trained. ${why}`);
}

// The numbers of the present step
function tiles(names) {
  const values = names.map(() => h("dd", {}, "–"));
  const pairs = names.map((name, i) => h("div", {}, h("dt", {}, name), values[i]));
  const show = (texts) => texts.forEach((text, i) => (values[i].textContent = text));
  return { list: h("dl", { className: "train-numbers" }, ...pairs), show };
}

// The learning rate with which the schedule begins, on a slider of its own scale
function ratePart(onChange) {
  const start = RATES.indexOf(RATE);
  const input = h("input", { type: "range", min: 0, max: RATES.length - 1, value: start });
  const output = h("span", { ariaHidden: "true" });
  const value = () => RATES[input.value];
  function show() {
    output.textContent = value();
    input.setAttribute("aria-valuetext", value());
  }
  input.addEventListener("input", () => {
    show();
    onChange(value());
  });
  show();
  const set = (rate) => {
    const place = RATES.indexOf(rate);
    if (place >= 0) input.value = place;
    show();
  };
  return { control: field(["Learning rate at the start ", output], input), value, set };
}

// What a training is begun with, apart from its list
function settingsPart() {
  const labels = ["Width", "Heads", "Layers", "Positions", "Steps", "Seed"];
  const inputs = Object.entries(DEFAULTS).map(([name, value]) => {
    return [name, h("input", { value, size: 6, inputMode: "numeric", maxLength: 20 })];
  });
  const values = () => Object.fromEntries(inputs.map(([name, input]) => [name, input.value]));

  function set(given) {
    for (const [name, input] of inputs) input.value = given[name] ?? input.value;
  }

  function control(begin, copy, copied) {
    const rows = inputs.map(([, input], i) => field(labels[i], input));
    const begins = button("Begin with these settings", begin);
    return h(
      "details",
      {},
      h("summary", {}, "Settings: sizes, steps, seed"),
      h("div", { className: "lab-row train-settings" }, ...rows),
      h("div", { className: "lab-row" }, begins, button("Copy a link to these", copy), copied),
    );
  }
  return { values, set, control };
}

// The document of the last step and that of the next one
function documentsPart(lab) {
  const last = h("div", {});
  const next = h("div", {});

  async function look() {
    const found = await lab.ask("training.documents");
    if (!found) return;
    last.replaceChildren(...(found.last ? guesses("Just learned", found.last) : []));
    next.replaceChildren(...(found.next ? guesses("Next", found.next) : []));
  }

  const words =
    "What follows each token, and the probability that the model gives to it: before " +
    "the step and after it.";
  return { element: part("One document a step", words, last, next), look };
}

function guesses(title, { doc, inputs, targets, now, before }) {
  const pairs = inputs.map((input, i) => {
    const shares = before ? [before[i], now[i]] : [now[i]];
    return h(
      "li",
      {},
      h("span", {}, `${shown(input)} → `, h("b", {}, shown(targets[i]))),
      ...shares.map((value, k) => share(value, before && k === 0)),
    );
  });
  const cut = inputs.length <= [...doc].length ? ", as far as the model reads" : "";
  return [
    h("p", {}, `${title}: `, h("b", {}, doc.slice(0, 100)), cut),
    h("ol", { className: "train-pairs" }, ...pairs),
  ];
}

function share(value, isBefore) {
  const bar = h("span", { className: `train-share${isBefore ? " before" : ""}` });
  bar.style.setProperty("--share", value);
  const words = isBefore ? "before " : "";
  const shown = typeof value === "number" ? percent(value) : value;
  bar.append(h("span", { className: "lab-unseen" }, words), shown);
  return bar;
}

function shown(token) {
  return token === " " ? "␣" : token;
}

// One parameter, and how the last step has moved it
function parameterPart(lab) {
  const row = h("select", { onchange: () => look() });
  const column = h("select", { onchange: () => look() });
  const matrix = choice("Matrix", {}, "", () => (offerPlaces(), look()));
  const select = matrix.querySelector("select");
  const list = h("dl", { className: "train-update" });
  let info = null;

  function offer(present) {
    const chosen = [select.value, row.value, column.value];
    info = present;
    select.replaceChildren(...Object.keys(info.matrices).map((name) => option(name, name)));
    select.value = chosen[0] in info.matrices ? chosen[0] : "lm_head";
    offerPlaces(+chosen[1], +chosen[2]);
  }

  function offerPlaces(chosenRow = 0, chosenColumn = 0) {
    const [rows, columns] = info.matrices[select.value];
    const isToken = ["wte", "lm_head"].includes(select.value);
    const name = (i) => (isToken ? `${i}: ${shown(info.tokens[i])}` : i);
    row.replaceChildren(...range(rows).map((i) => option(i, name(i))));
    column.replaceChildren(...range(columns).map((i) => option(i, i)));
    row.value = chosenRow < rows ? chosenRow : 0;
    column.value = chosenColumn < columns ? chosenColumn : 0;
  }

  async function look() {
    const place = { matrix: select.value, row: +row.value, column: +column.value };
    const found = await lab.ask("training.parameter", place);
    if (found) list.replaceChildren(...update(found).flatMap(line));
  }

  const controls = [matrix, field("Row", row), field("Column", column)];
  const words = "How Adam has moved it in the last step.";
  const choices = h("div", { className: "lab-row" }, ...controls);
  const element = part("One parameter", words, choices, list);
  return { element, offer, look };
}

// The lines of Adam's calculation: [what, how it is computed, its number]
function update({ value, m, v, before, slope, rate, betas, means, change, step }) {
  if (!before) {
    const why = step ? "the next step shows how it moves" : "no step yet";
    return [
      ["value", why, value],
      ["m", "", m],
      ["v", "", v],
    ];
  }
  const [b1, b2] = betas;
  const sign = change < 0 ? "−" : "+";
  const [left1, left2] = [1 - b1, 1 - b2].map((left) => Number(left.toFixed(6)));
  return [
    ["slope g", "from the backward pass", slope],
    ["m", `${b1} · ${factor(before.m)} + ${left1} · g`, m],
    ["v", `${b2} · ${factor(before.v)} + ${left2} · g²`, v],
    ["m, corrected", `m / (1 − ${b1}${raised(step)})`, means.m],
    ["v, corrected", `v / (1 − ${b2}${raised(step)})`, means.v],
    ["change", `−${short(rate)} · ${factor(means.m)} / (√${short(means.v)} + 10⁻⁸)`, change],
    ["value", `${short(before.value)} ${sign} ${short(Math.abs(change))}`, value],
  ];
}

const raised = (power) => [...String(power)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");

function line([what, how, number]) {
  return [h("dt", {}, what), h("dd", { className: "how" }, how), h("dd", {}, short(number))];
}

function entry({ step, names }) {
  return h("li", {}, h("b", {}, `step ${count(step)}`), nameList(names));
}

function describe(info) {
  const asked = info.held_out
    ? `on ${docs(info.held_out)} that it does not see`
    : "on the same documents, because it sees them all";
  const longer = info.longer
    ? ` Of ${docs(info.longer)} only the first ${info.sizes.block_size} ` +
      "positions are read."
    : "";
  return (
    `${docs(info.docs)}, ${info.vocab} tokens, ${count(info.params)} parameters. ` +
    `Blind guessing gives each token the same probability. Counting pairs uses no model: ` +
    `it only counts which token follows which in the documents that are trained on, and ` +
    `is measured ${asked}.${longer}`
  );
}

const docs = (n) => `${count(n)} ${n === 1 ? "document" : "documents"}`;

function part(title, words, ...children) {
  const note = words ? h("p", { className: "lab-note" }, words) : null;
  return h("section", { className: "train-part" }, h("h4", {}, title), note, ...children);
}

function range(length) {
  return Array.from({ length }, (_, i) => i);
}

// Four digits of a number, small or large
function short(number) {
  if (typeof number !== "number") return number;
  return String(Number(number.toPrecision(4))).replaceAll("-", "−");
}

function factor(number) {
  return number < 0 ? `(${short(number)})` : short(number);
}

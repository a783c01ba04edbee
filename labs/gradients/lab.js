// The gradients lab: two programs train, and one of them has wrong slopes. Which one?

import { Chart, movingMean, recentMean } from "../shared/chart.js";
import { button, choice, fixed, h, nameList } from "../shared/controls.js";
import { Trainer } from "../shared/trainer.js";

const WIDTH = 50; // steps in the moving mean
const NAMES = ["A", "B"];
const CHANCE = "one of three, drawn by chance";
const ANSWERS = { "": "I cannot tell", A: "A", B: "B" };

export default async function gradients(body, lab) {
  const losses = [[], []];
  let mutant = ""; // the name of the one that is asked for
  let answer = "";

  const mutants = await lab.ask("gradients.mutants");
  if (!mutants) return;
  const chart = new Chart(
    "Losses of A and B",
    { x: "step", y: `loss, mean of ${WIDTH} steps`, low: 2.5, high: 3.5 },
    NAMES.map((name, i) => ({ name, kind: "line", look: [0, 2][i], label: true })),
  );
  const samples = h("dl", { className: "lab-samples" });
  const verdict = h("div", { className: "lab-verdict", role: "status" });
  const ratios = h("div");
  const trainer = new Trainer(lab, "gradients.step", [1, 10, 100], {
    onStep: show,
    onRest: look,
    begin,
    onRestart: () => trainer.takeUp(begin, showAll),
  });

  async function begin() {
    const begun = await lab.begin("gradients.begin", { mutant });
    if (!begun) return;
    verdict.replaceChildren();
    ratios.replaceChildren();
    showAll(begun);
    await look();
  }

  function show(told) {
    told.losses.forEach((loss, i) => losses[i].push(loss));
    chart.push(losses.map((each) => recentMean(each, WIDTH)));
  }

  function showAll(status) {
    status.losses.forEach((each, i) => (losses[i] = [...each]));
    chart.most = status.steps;
    chart.levels = [{ name: "blind guessing", value: status.uniform }];
    chart.fill(losses.map((each) => movingMean(each, WIDTH)));
    trainer.stand(status.step, status.steps, status.trouble);
  }

  async function look() {
    const found = await lab.ask("gradients.samples");
    if (!found) return;
    samples.replaceChildren(
      ...NAMES.flatMap((name) => [h("dt", {}, name), h("dd", {}, nameList(found[name]))]),
    );
  }

  async function check() {
    const found = await lab.ask("gradients.check");
    if (!found) return;
    verdict.replaceChildren(...sentences(found, answer).map((text) => h("p", {}, text)));
    ratios.replaceChildren(table(found));
  }

  const offers = { "": CHANCE, ...Object.fromEntries(mutants.map(({ name }) => [name, name])) };
  body.append(
    h(
      "p",
      { className: "lab-note" },
      "Two programs, A and B, begin with the same parameters and see the same names. One " +
        "is the book's, the other has wrong slopes. Which is which was drawn by chance.",
    ),
    choice("What is wrong", offers, mutant, (value) => {
      mutant = value;
      if (trainer.done) trainer.said.textContent = "Reset begins anew with what is chosen now.";
      else trainer.reset();
    }),
    h("div", { className: "lab-row" }, ...trainer.buttons),
    trainer.said,
    lab.message, // here it is seen from the buttons
    chart.element,
    samples,
    h(
      "div",
      { className: "lab-row" },
      choice("Which one has wrong slopes?", ANSWERS, answer, (value) => (answer = value)),
      button("Check the slopes", () => trainer.after(check)),
    ),
    verdict,
    ratios,
  );

  const status = await lab.ask("gradients.status");
  if (!status) return trainer.reset();
  showAll(status);
  await look();
}

// What the check has found, and what the reader had said
function sentences({ doc, along, wrong, mutant, words }, answer) {
  const missed = along[wrong].filter(({ holds }) => !holds).length;
  const right = NAMES.find((name) => name !== wrong);
  const alarms = along[right].filter(({ holds }) => !holds).length;
  const said = {
    "": "You could not tell, and one pair of curves does not.",
    [wrong]: "You had said so. By chance, one reader in two does.",
    [right]: `You had said ${right}.`,
  };
  return [
    `${wrong} has the wrong slopes: ${mutant}, ${words}. ${said[answer]}`,
    `The table is for the next name, ${doc}, and random directions. It tells what the ` +
      "slopes say of the loss there, divided by what nudging finds. Slopes that are right " +
      `give 1. In ${missed} of ${along[wrong].length} rows those of ${wrong} do not.`,
    ...(alarms
      ? [`A row of ${right} is off too: a ReLU switched on or off in the nudge. Check again.`]
      : []),
  ];
}

function table({ along, doc }) {
  const cell = ({ ratio, holds }) =>
    h("td", { className: holds ? "" : "grad-off" }, fixed(ratio, 3), holds ? "" : cross());
  const cross = () => h("span", { role: "img", ariaLabel: "not 1" }, " ✗");
  const rows = along.A.map(({ name }, i) =>
    h("tr", {}, h("th", { scope: "row" }, name), ...NAMES.map((each) => cell(along[each][i]))),
  );
  const heads = ["moved at random", ...NAMES].map((name) => h("th", { scope: "col" }, name));
  return h(
    "table",
    { className: "grad-table", ariaLabel: `What the slopes say, by what nudging finds, at ${doc}` },
    h("thead", {}, h("tr", {}, ...heads)),
    h("tbody", {}, ...rows),
  );
}

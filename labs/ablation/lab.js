// The ablation lab: variants of the program train side by side with the intact one.

import { Chart, movingMean, recentMean } from "../shared/chart.js";
import { choice, h, nameList } from "../shared/controls.js";
import { Trainer } from "../shared/trainer.js";

const WIDTH = 50; // steps in the moving mean
const MOST = 3; // variants at a time
const LOOKS = [0, 2, 3, 4]; // lines that differ also without their colours
const VIEWS = {
  losses: { x: "step", y: `loss, mean of ${WIDTH} steps`, low: 2.5, high: 3.5 },
  gaps: { x: "step", y: `more than intact, mean of ${WIDTH}`, low: -0.1, high: 0.1 },
};

export default async function ablation(body, lab) {
  let names = []; // of the programs that train, the intact one first
  let losses = []; // those of each
  let uniform = null; // the loss of blind guessing
  let view = "losses";

  const changes = await lab.ask("ablation.changes");
  if (!changes) return;
  const boxes = changes.map(({ name }) => {
    const isChecked = ["no attention", "no residuals"].includes(name);
    return h("input", { type: "checkbox", value: name, checked: isChecked, onchange: choose });
  });
  const chart = new Chart("Losses of the programs", VIEWS.losses, []);
  const trainer = new Trainer(lab, "ablation.step", [1, 10, 100], {
    onStep: show,
    onRest: look,
    begin,
    onRestart: () => trainer.takeUp(begin, showAll),
  });
  const tooMuch = h("p", { role: "status" });
  const verdict = h("div", { className: "lab-verdict", role: "status" });
  const samples = h("dl", { className: "lab-samples" });

  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);

  function choose() {
    const isTooMuch = chosen().length > MOST;
    tooMuch.textContent = isTooMuch
      ? `${MOST} at a time are enough. Take away another one first.`
      : "";
    if (isTooMuch) this.checked = false;
    else if (!trainer.done) trainer.reset();
    else trainer.said.textContent = "Reset begins anew with what is chosen now.";
  }

  async function begin() {
    const begun = await lab.begin("ablation.begin", { chosen: chosen() });
    if (!begun) return;
    showAll(begun);
    await look();
  }

  function show(told) {
    told.losses.forEach((loss, i) => losses[i].push(loss));
    if (view === "losses") chart.push(losses.map((each) => recentMean(each, WIDTH)));
    else chart.push(gaps().map((each) => recentMean(each, WIDTH)));
  }

  // By how much each program's losses are greater than the intact one's
  function gaps(last = WIDTH) {
    const [intact, ...others] = losses.map((each) => each.slice(-last));
    return others.map((each) => each.map((loss, i) => (loss === null ? null : loss - intact[i])));
  }

  function lookAt(value) {
    view = value;
    draw();
  }

  function draw() {
    const start = view === "losses" ? 0 : 1;
    const lines = view === "losses" ? losses : gaps(Infinity);
    const level = view === "losses" ? ["blind guessing", uniform] : ["intact", 0];
    chart.axes = VIEWS[view];
    chart.series = names.slice(start).map((name, i) => {
      return { name, kind: "line", look: LOOKS[start + i], label: true };
    });
    chart.levels = [{ name: level[0], value: level[1] }];
    chart.fill(lines.map((line) => movingMean(line, WIDTH)));
  }

  function showAll(status) {
    ({ names, losses, uniform } = status);
    chart.most = status.steps;
    draw();
    trainer.stand(status.step, status.steps, status.trouble);
  }

  async function look() {
    const found = await lab.ask("ablation.compare");
    if (!found) return;
    verdict.replaceChildren(...sentences(found).map((text) => h("p", {}, text)));
    const entries = found.samples.filter((each) => each.names.length);
    samples.replaceChildren(
      ...entries.flatMap(({ name, names }) => [h("dt", {}, name), h("dd", {}, nameList(names))]),
    );
  }

  const offers = changes.map(({ name, words }, i) => {
    return h("label", {}, boxes[i], h("span", {}, h("b", {}, name), `: ${words}`));
  });
  const views = { losses: "losses", gaps: "differences from the intact program" };
  body.append(
    h(
      "fieldset",
      { className: "break-changes" },
      h("legend", {}, `What shall be different? One thing for each program, up to ${MOST}.`),
      ...offers,
      tooMuch,
    ),
    h(
      "p",
      { className: "lab-note" },
      "All of them begin with the same random parameters and see the same names. Each " +
        "program takes as long as it would alone, so two take twice as long as one.",
    ),
    h("div", { className: "lab-row" }, ...trainer.buttons),
    trainer.said,
    lab.message, // here it is seen from the buttons
    h("div", { className: "lab-row" }, choice("Show", views, view, lookAt)),
    chart.element,
    verdict,
    samples,
  );

  const status = await lab.ask("ablation.status");
  if (!status) return trainer.reset();
  for (const box of boxes) box.checked = status.names.includes(box.value);
  showAll(status);
  await look();
}

// What the last steps say, and how much of it may be chance
function sentences({ recent, programs }) {
  if (!recent) return [];
  const [intact, ...others] = programs;
  const means = `the last ${recent} step${recent === 1 ? "" : "s"}`;
  return [
    `Mean loss of ${means}: intact ${intact.mean.toFixed(4)}.`,
    ...others.map(({ name, mean, gap, error }) => {
      const size = `${Math.abs(gap).toFixed(4)} ${gap < 0 ? "less" : "more"} than intact`;
      return `${name}: ${mean.toFixed(4)}, ${size}. ${doubt(gap, error, recent)}`;
    }),
    recent < 100
      ? "So few steps say little. Train on."
      : "This is one seed, and the names are those that were trained on. The tables of " +
        "this chapter have twelve deals, and names that no program has seen: trust them more.",
  ];
}

function doubt(gap, error, recent) {
  if (recent < 10) return "";
  const scatter = `Steps differ so much that ±\u00a0${(2 * error).toFixed(4)} may be chance:`;
  const isSmall = Math.abs(gap) < 2 * error;
  return `${scatter} ${isSmall ? "perhaps all of this." : "this is more."}`;
}

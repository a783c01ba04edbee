// A chunk under the reader's hands: edited, tangled, and trained beside the book's.

import { Chart } from "../shared/chart.js";
import { Editor, changesOf, printout } from "../shared/editor.js";
import { fixed, h, nameList } from "../shared/controls.js";

const SAID = 20; // the status says every so many steps how far it is
const PRINTED = 4000; // characters of what the program printed that are kept

export default async function workshop(figure, lab) {
  const open = figure.nextElementSibling;
  if (open?.matches(".workshop")) return open.querySelector("textarea").focus();
  const changes = changesOf(lab.machine);
  const chunk = await lab.ask("workshop.chunk", { line: Number(figure.dataset.line) });
  if (!chunk) return void figure.after(lab.message);
  const { name, text, book } = chunk;

  const found = h("div", { className: "workshop-mistakes", role: "alert" });
  const results = h("div", { className: "workshop-results" });
  const editor = new Editor(lab, {
    name: `chunk ${name}`,
    label: `The chunk “${name}”; it can be changed`,
    text: text.trimEnd(),
    action: "Tangle and train 100 steps",
    act: train,
    reset,
  });
  const frame = h(
    "div",
    { className: "lab workshop", role: "group", ariaLabel: `Edit the chunk ${name}` },
    editor.field,
    editor.bar,
    found,
    results,
    lab.message,
  );

  async function train(typed) {
    const edits = { ...changes.chunks, [name]: typed };
    if (typed.trimEnd() === book.trimEnd()) delete edits[name];
    results.replaceChildren();
    const { mistakes, steps } = (await lab.ask("workshop.begin", { edits })) ?? {};
    if (!mistakes) return undefined;
    if (tell(mistakes) || editor.isEnded) return "It was not trained.";
    changes.chunks = edits;
    let last = null;
    const show = board(results, steps);
    await lab.run("workshop.step", {}, (step) => {
      if (tell(step.mistakes)) return;
      show((last = step));
      if (step.step % SAID === 1) editor.say(`Step ${step.step} of ${steps}`);
    });
    if (last?.step !== steps) return `It ended after ${last?.step ?? 0} steps.`;
    const names = await lab.ask("workshop.samples");
    if (names && !tell(names.mistakes)) results.append(...samples(names));
    return sentence(last, Object.keys(edits));
  }

  // Show what is wrong with the program; return whether anything is.
  function tell(mistakes) {
    found.replaceChildren(...mistakes.flatMap((mistake) => explain(mistake, name)));
    const mine = mistakes.find((mistake) => mistake.chunk === name);
    if (mine) editor.select(mine.line);
    return mistakes.length > 0;
  }

  function reset() {
    delete changes.chunks[name];
    frame.remove();
    figure.querySelector(".offer").focus();
  }

  editor.say("Sessions on this page will use your program as well, until you reset it.");
  await editor.recall();
  figure.after(frame);
  editor.area.focus();
}

// What is wrong, and where: in the reader's chunk, or in another one that it upsets.
function explain({ chunk, line, message, shown }, name) {
  const place = line ? `Line ${line}${chunk === name ? "" : ` of ⟨${chunk}⟩`}: ` : "";
  const words = h("p", {}, h("strong", {}, place), message);
  return shown ? [words, h("pre", {}, shown)] : [words];
}

// A chart and a table of both programs' losses; the function that is returned adds a
// step to them.
function board(place, steps) {
  const axes = { x: "step", y: "mean loss", low: 2.5, high: 3.5 };
  const chart = new Chart("Mean of the last 20 losses", axes, [
    { name: "the book’s", kind: "line", look: 0, label: true },
    { name: "yours", kind: "line", look: 4, label: true }, // the other shows through
  ]);
  chart.most = steps;
  const cells = { book: [h("td"), h("td")], yours: [h("td"), h("td")] };
  const head = ["program", "loss", "mean of the last 20"];
  const row = (text, own) => h("tr", {}, h("th", { scope: "row" }, text), ...own);
  const table = h(
    "table",
    { className: "workshop-board" },
    h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, row("the book’s", cells.book), row("yours", cells.yours)),
  );
  const printed = printout("What your program printed");
  place.append(chart.element, table, printed.element);
  return (step) => {
    chart.push([step.book.mean, step.yours.mean]);
    for (const whose of ["book", "yours"]) {
      cells[whose][0].textContent = fixed(step[whose].loss);
      cells[whose][1].textContent = fixed(step[whose].mean);
    }
    if (!step.printed) return;
    printed.show((printed.element.textContent + step.printed).slice(-PRINTED));
  };
}

function samples({ book, yours }) {
  const list = (text, names) => h("p", {}, `${text}: `, h("code", {}, nameList(names)));
  return [list("The book’s program makes up", book), list("Yours makes up", yours)];
}

function sentence({ same, book, yours }, edited) {
  if (!edited.length) return "This is the book’s program, so the numbers are the same.";
  if (same) return "The same numbers as the book’s program: nothing that it computes has changed.";
  if (typeof yours.mean !== "number") return "Your program’s loss is no number any more.";
  const gap = Math.abs(yours.mean - book.mean);
  if (gap < 0.005) return "After 100 steps it does as well as the book’s program.";
  const word = yours.mean < book.mean ? "lower" : "higher";
  return `After 100 steps its mean loss is ${gap.toFixed(2)} ${word} than the book’s.`;
}

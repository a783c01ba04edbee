// The path: what the reader has written, the program that it makes, and its thousand steps.

import { button, count, field, h, nameList } from "../shared/controls.js";
import { placeOf } from "../shared/editor.js";
import { listPart } from "../shared/list.js";
import { keepTyped, typed } from "../shared/store.js";

const FILE = "microgpt-path.json";

export default async function path(body, lab) {
  // The list of tasks and what goes with it stay.
  for (const part of body.parentElement.querySelectorAll(":scope > [hidden]")) part.hidden = false;
  const tasks = await lab.ask("path.tasks");
  if (!tasks) return;
  const texts = {};
  for (const { name, start } of tasks) {
    const text = await typed(placeOf(`exercise ${name}`, start));
    if (text !== undefined) texts[name] = text;
  }

  const program = h("pre", {
    className: "path-program",
    tabIndex: 0,
    role: "region",
    ariaLabel: "The program: yours is marked, the rest is the book’s",
  });
  const whose = h("p", { className: "lab-note", role: "status" });
  const said = h("p", { role: "status" });
  const lines = h("pre", { className: "path-lines", hidden: true });
  const list = listPart(() => said.replaceChildren());
  const picker = h("input", { type: "file", accept: ".json", onchange: load });
  body.append(
    h("div", { className: "lab-row" }, list.control, button("Run 1,000 steps with mine", run)),
    list.own,
    said,
    lines,
    whose,
    program,
    h(
      "div",
      { className: "lab-row" },
      button("Save what I wrote as a file", save),
      field("Take it from a file", picker),
    ),
  );
  await show();

  async function show() {
    const written = Object.keys(texts).length;
    whose.textContent = written
      ? `You have written ${written} of ${tasks.length} tasks: they are marked.`
      : `None of the ${tasks.length} tasks is written yet, so all of it is the book’s.`;
    const told = await lab.ask("path.program", { texts });
    if (!told || tell(told.mistakes)) return;
    program.replaceChildren(...runs(told.lines).map(part));
    const first = program.querySelector("mark");
    if (first) program.scrollTop = first.offsetTop - program.offsetTop - 40;
  }

  // Say what is wrong with the program; return whether anything is.
  function tell(mistakes) {
    if (mistakes.length) said.replaceChildren(...mistakes.map(explain));
    return mistakes.length > 0;
  }

  async function run() {
    said.textContent = "The program is put together …";
    const begun = await lab.ask("path.begin", { texts, ...(await list.given()) });
    if (!begun || tell(begun.mistakes)) return;
    lines.hidden = false;
    await lab.run("path.step", {}, (told) => {
      if (tell(told.mistakes)) return;
      const differs = told.same < told.step + 3;
      lines.textContent = differs ? `${told.book}   the book’s\n${told.yours}   yours` : told.yours;
      const so = differs ? `line ${told.same + 1} was the first that differs` : "the same as the book’s";
      said.textContent = told.done ? verdict(told) : `Step ${count(told.step)} of 1,000: ${so}.`;
      if (told.done) lines.textContent = nameList(told.names);
    });
  }

  function save() {
    const blob = new Blob([JSON.stringify({ texts }, null, 1)], { type: "application/json" });
    const link = h("a", { href: URL.createObjectURL(blob), download: FILE });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  async function load() {
    const [file] = picker.files;
    try {
      const found = JSON.parse(await file.text()).texts;
      for (const { name, start } of tasks) {
        if (typeof found[name] !== "string") continue;
        texts[name] = found[name];
        keepTyped(placeOf(`exercise ${name}`, start), found[name]);
      }
      said.textContent = `${file.name} is read.`;
      await show();
    } catch {
      said.textContent = `${file.name} is no file that was saved here.`;
    }
  }
}

// Lines of one task, or of the book, that stand together
function runs(lines) {
  const found = [];
  for (const [text, task] of lines) {
    if (found.at(-1)?.task !== task) found.push({ task, text: "" });
    found.at(-1).text += `${text}\n`;
  }
  return found;
}

function part({ task, text }) {
  return task ? h("mark", { title: `Your ${task}` }, text) : h("span", {}, text);
}

function explain({ task, line, message }) {
  const place = task ? `Your ${task}, line ${line}: ` : "";
  return h("span", {}, h("strong", {}, place), `${message}. `);
}

function verdict({ same, lines, published }) {
  if (same < lines) return `Line ${same + 1} of ${count(lines)} is the first that differs.`;
  const all = `All ${count(lines)} lines are those of the book’s program: the program is yours.`;
  return published ? `${all} They are the published losses and names, to the digit.` : all;
}

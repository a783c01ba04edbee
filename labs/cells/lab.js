// A session of the book as a cell: its text can be changed, and it runs in the page.

import { Editor, changesOf, printout } from "../shared/editor.js";
import { h } from "../shared/controls.js";

export default async function cell(block, lab) {
  const line = Number(block.dataset.line);
  const changes = changesOf(lab.machine);
  const text = await lab.ask("cells.source", { line });
  if (text === undefined) return void block.after(lab.message);

  const output = printout("Output");
  const editor = new Editor(lab, {
    name: `session of ${location.pathname}`,
    label: "The session; it can be changed",
    text: text.trimEnd(),
    action: "Run",
    act: run,
    reset,
  });
  const frame = h(
    "div",
    { className: "lab cell", role: "group", ariaLabel: "Session with Python" },
    editor.field,
    editor.bar,
    output.element,
    lab.message,
  );

  async function run(typed) {
    if (typed === text.trimEnd()) delete changes.sessions[line];
    else changes.sessions[line] = typed;
    const { sessions: texts, chunks: edits } = changes;
    let heard = "";
    const hear = (text) => output.show((heard += text));
    const answer = await lab.ask("cells.run", { line, texts, edits }, hear);
    output.show(answer?.output ?? heard);
    if (!answer) return undefined;
    return verdict(answer, Object.keys(edits).length > 0);
  }

  function reset() {
    delete changes.sessions[line];
    frame.remove();
    block.hidden = false;
    block.querySelector(".offer").focus();
  }

  await editor.recall();
  block.hidden = true;
  block.after(frame);
  editor.go.focus({ preventScroll: true });
  editor.run();
}

function verdict({ output, ending, agrees }, isEdited) {
  if (agrees === true) return "As the book shows it.";
  if (agrees === false) return "This is not what the book shows.";
  if (ending === "error") return "It ended with an error.";
  if (ending) return "It was ended.";
  const done = output ? "Done." : "Done. It printed nothing.";
  return isEdited ? `${done} It used your program.` : done;
}

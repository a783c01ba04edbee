// An exercise: the reader's answer runs in the page, and is judged by its checker.

import { Editor, printout } from "../shared/editor.js";
import { h } from "../shared/controls.js";

export default async function exercise(body, lab) {
  const frame = body.closest(".lab");
  const name = frame.dataset.exercise;
  const start = await lab.ask("exercise.start", { exercise: name });
  if (start === undefined) return;
  // The editor has a Stop and a status of its own.
  for (const part of frame.querySelectorAll(".lab-bar :is(button, small)")) part.remove();
  for (const task of frame.querySelectorAll(":scope > [hidden]")) task.hidden = false;

  const marks = h("ul", { className: "exercise-marks", ariaLabel: "Marks" });
  const output = printout("Output");
  const editor = new Editor(lab, {
    name: `exercise ${name}`,
    label: "Your answer",
    text: start.trimEnd(),
    action: "Check",
    act: check,
    reset() {
      editor.text = start.trimEnd();
      marks.replaceChildren();
      output.show("");
      editor.say("");
      editor.area.focus();
    },
  });
  await editor.recall();
  const scope = await lab.ask("exercise.scope", { exercise: name });
  body.append(editor.field, editor.bar, marks, output.element, ...callable(scope ?? []));

  async function check(text) {
    const answer = await lab.ask("exercise.check", { exercise: name, text });
    marks.replaceChildren(...(answer?.marks ?? []).map(line));
    output.show(answer?.output ?? "");
    if (answer?.passed) dispatchEvent(new CustomEvent("solved", { detail: name }));
    return answer && verdict(answer);
  }
}

// What the answer to a task may call, to be opened
function callable(names) {
  if (!names.length) return [];
  const rows = names.flatMap(([signature, words]) => [
    h("dt", {}, h("code", {}, signature)),
    h("dd", {}, words),
  ]);
  const title = h("summary", {}, "What you can call");
  return [h("details", { className: "exercise-scope" }, title, h("dl", {}, ...rows))];
}

function line({ ok, what, came, hint }) {
  const verdict = h("strong", {}, ok ? "Right: " : "Not yet: ");
  const words = came ? `${what}: ${came}` : what;
  const more = hint ? `. Hint: ${hint}` : "";
  return h("li", { className: ok ? "right" : "" }, verdict, words, more);
}

function verdict({ marks, passed }) {
  if (passed) return "All of it is right. Well done.";
  const right = marks.filter(({ ok }) => ok).length;
  if (!marks.length) return "The answer did not run to its end.";
  return `${right} of ${marks.length} right so far.`;
}

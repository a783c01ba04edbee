// A stage of the book at work: it learns here, says how far it is, and speaks.

import { count, h, textField } from "../shared/controls.js";
import { printout } from "../shared/editor.js";

export default async function stage(body, lab) {
  const name = body.closest(".lab").dataset.stage;
  const settings = { seed: "42" };
  const said = h("p", { className: "lab-said", role: "status" });
  const bar = h("progress", { ariaLabel: "Names read" });
  const read = h("span");
  const progress = h("p", { hidden: true }, bar, " ", read);
  const output = printout("What the stage prints");
  const go = h("button", { type: "submit" }, "Run");

  async function run() {
    if (go.ariaDisabled === "true") return;
    go.ariaDisabled = "true"; // with disabled it would lose the focus
    const start = performance.now();
    let heard = "";
    said.textContent = "";
    output.show("");
    tell(0, 0);
    progress.hidden = false;
    const answer = await lab.ask("stage.run", { stage: name, ...settings }, (text) => {
      if (text.startsWith("\r")) tell(...text.slice(1).split("/").map(Number));
      else output.show((heard += text));
    });
    progress.hidden = true;
    go.ariaDisabled = null;
    if (answer) said.textContent = verdict(answer, performance.now() - start);
    else said.textContent = lab.message.textContent ? "" : "Stopped.";
  }

  function tell(done, all) {
    if (all) Object.assign(bar, { max: all, value: done });
    else bar.removeAttribute("value");
    read.textContent = all ? `${count(done)} of ${count(all)} names read` : "";
  }

  function submit(event) {
    event.preventDefault();
    run();
  }

  const numeric = { inputMode: "numeric", maxLength: null, size: 6 }; // cut, it would be another
  const seed = textField("Seed", settings.seed, (text) => (settings.seed = text), numeric);
  const row = h("form", { className: "lab-row", onsubmit: submit }, seed, go);
  body.append(row, progress, said, output.element);
  run(); // and the lab is ready meanwhile
}

function verdict({ agrees }, milliseconds) {
  const time = `Done in ${Math.max(1, Math.round(milliseconds / 1000))} s.`;
  if (agrees === true) return `${time} As the book shows it.`;
  if (agrees === false) return `${time} This is not what the book shows.`;
  return `${time} Another seed deals other names, so compare losses with the same seed only.`;
}

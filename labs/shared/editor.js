// A text that can be changed and run: what cells, chunks and exercises share.

import { coloured } from "./colours.js";
import { button, h } from "./controls.js";
import { forgetTyped, keepTyped, typed } from "./store.js";

const RESTARTS = "Stopped. Python starts again …";
const LONG = 10_000; // milliseconds after which the reader is told how to end a run

const changes = new WeakMap(); // machine → what `changesOf` returns

// What the reader has changed on the page of a machine: `sessions`, by their lines,
// and `chunks`, by their names.
export function changesOf(machine) {
  if (!changes.has(machine)) changes.set(machine, { sessions: {}, chunks: {} });
  return changes.get(machine);
}

// A box for what a program prints; there is none as long as it has printed nothing.
export function printout(label) {
  const properties = { className: "cell-output", role: "region", ariaLabel: label };
  const element = h("pre", { ...properties, tabIndex: 0, hidden: true });
  const show = (text) => {
    element.textContent = text;
    element.hidden = !text;
  };
  return { element, show };
}

// Where `store.js` keeps what is typed over a text of the book, which has a name.
export const placeOf = (name, text) => `${name}\n${text.trimEnd()}`;

export class Editor {
  isEnded = false; // whether the reader has pressed Stop in this run
  #running = false;
  #place; // where what is typed is kept
  #colours = h("pre", { ariaHidden: "true" }); // the text once more, behind the area

  // `act` gets the text; what it returns is said when it is done. `reset` is called
  // when the reader wants the book's version back. What is typed is kept under the
  // `name` of the text, as long as the book has the same text.
  constructor(lab, { name, label, text, action, act, reset }) {
    this.#place = placeOf(name, text);
    this.area = h("textarea", {
      ariaLabel: label,
      autocapitalize: "off",
      autocomplete: "off",
      spellcheck: false,
      value: text,
      wrap: "off",
    });
    this.field = h("div", { className: "editor" }, this.#colours, this.area);
    this.go = button(action, () => this.run());
    this.go.title = "Ctrl+Enter";
    this.stop = button("Stop", () => this.#end());
    this.stop.disabled = true;
    this.status = h("span", { className: "editor-status", role: "status" });
    this.bar = h("div", { className: "lab-row editor-bar" });
    this.bar.append(this.go, button("Reset", () => this.#reset()), this.stop, this.status);
    Object.assign(this, { lab, act, reset });
    this.area.addEventListener("input", () => {
      this.#fit();
      if (this.area.value === text) forgetTyped(this.#place);
      else keepTyped(this.#place, this.area.value);
    });
    this.area.addEventListener("scroll", () => this.#follow());
    this.area.addEventListener("keydown", (event) => this.#key(event));
    this.#fit();
  }

  // Put back what was typed at another time.
  async recall() {
    const kept = await typed(this.#place);
    if (kept === undefined) return;
    this.text = kept;
    this.say("This is what you typed before. Reset shows the book’s.");
  }

  async run() {
    if (this.#running) return;
    this.#running = true;
    this.isEnded = false;
    this.go.ariaDisabled = "true";
    this.stop.disabled = false;
    this.say("Running …");
    const long = "Still running after 10 seconds. Stop ends it.";
    const timer = setTimeout(() => this.say(long), LONG);
    const said = await this.act(this.area.value);
    clearTimeout(timer);
    this.#running = false;
    this.go.ariaDisabled = null;
    if (document.activeElement === this.stop) this.go.focus();
    this.stop.disabled = true;
    this.say(said ?? (this.isEnded ? RESTARTS : ""));
  }

  set text(text) {
    this.area.value = text;
    this.#fit();
  }

  say(text) {
    this.status.textContent = text;
  }

  // Put the cursor where a line is, and show it.
  select(line) {
    const lines = this.area.value.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    this.area.focus();
    this.area.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  }

  async #end() {
    this.isEnded = true;
    await this.lab.machine.stop();
    if (this.status.textContent === RESTARTS) this.say("Stopped.");
  }

  async #reset() {
    if (this.#running) await this.#end();
    forgetTyped(this.#place);
    this.reset();
  }

  #fit() {
    const text = this.area.value;
    this.area.rows = Math.min(30, Math.max(2, text.split("\n").length));
    this.#colours.replaceChildren(...coloured(text), "\n");
    this.#follow();
  }

  #follow() {
    this.#colours.scrollTo(this.area.scrollLeft, this.area.scrollTop);
  }

  // Enter keeps the indentation; with Ctrl it runs the text. Tab leaves the field.
  #key(event) {
    if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.run();
      return;
    }
    const before = this.area.value.slice(0, this.area.selectionStart);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    const indent = line.match(/^ */)[0] + (/:\s*$/.test(line) ? "    " : "");
    if (document.execCommand("insertText", false, `\n${indent}`)) event.preventDefault();
  }
}

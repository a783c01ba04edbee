// The labs of the page that is open: starts the machine and brings each lab to life.

import { Machine } from "./machine.js";
import { button, h } from "./controls.js";
import { forgetAll } from "./store.js";

const PATIENCE = 1000; // milliseconds after which a lab says that it works
const CHOICE = "labs-start"; // as in web/labs.js

let machine = null; // that of the page that is open
let ready = null; // the start of Python, as a promise
const listeners = new Set(); // those who are told how far the start is

// Start the machine if it does not run yet, and a lab. `say` is told how far it is.
export async function start(frame, say) {
  const here = await begin(say);
  if (here && !frame.dataset.state) await mount(frame, here);
}

// Start the machine, and let a script make something of a session or a chunk.
export async function open(script, block, say) {
  const here = await begin(say);
  if (!here) return;
  if (here.busy) say("Python is at work on something else of this page …");
  const module = await import(`../${script}/lab.js`);
  const lab = new Lab(here);
  await lab.settingUp(() => module.default(block, lab));
}

// The page is left: what it runs is stopped, and Python waits for the next page.
export function leave() {
  machine = machine?.handOver() ?? null;
}

// Return the machine once it runs; null if the page was left meanwhile.
async function begin(say) {
  const tell = (share) => say(progress(share));
  listeners.add(tell);
  if (!machine) {
    machine = new Machine();
    ready = machine.start((share) => listeners.forEach((listener) => listener(share)));
    ready.catch(() => {
      machine.end(); // that of a later page, if this one was left
      machine = null;
    });
  }
  const here = machine;
  try {
    await Promise.all([addStyle(), ready, here.settled]);
  } finally {
    listeners.delete(tell);
  }
  if (here.isEnded) return null;
  for (const note of document.querySelectorAll(".lab:not([data-state]) .lab-bar small")) {
    note.textContent = "Python is loaded.";
  }
  return here;
}

function progress(share) {
  return share < 1 ? `Loading Python: ${Math.round(100 * share)} %` : "Starting Python …";
}

function addStyle() {
  const href = new URL("../labs.css", import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return null;
  return new Promise((resolve, reject) => {
    const onerror = () => {
      link.remove();
      reject(new Error("labs.css could not be loaded"));
    };
    const link = h("link", { rel: "stylesheet", href, onload: resolve, onerror });
    document.head.append(link);
  });
}

async function mount(frame, machine) {
  const script = await import(`../${frame.dataset.lab}/lab.js`);
  frame.dataset.state = "starting";
  const bar = frame.querySelector(".lab-bar");
  const status = h("small", { role: "status" });
  const stop = h("button", { type: "button", onclick: () => machine.stop() }, "Stop");
  const offer = [...bar.childNodes];
  const isByKey = bar.querySelector(":focus-visible"); // where no key was, none comes up
  const pictures = [...frame.children].filter((each) => each !== bar && !each.hidden);
  stop.ariaDisabled = "true"; // with disabled it would lose the focus
  bar.replaceChildren(bar.querySelector("strong"), status, stop);
  for (const picture of pictures) picture.hidden = true;
  const body = h("div", { className: "lab-body" });
  const lab = new Lab(machine);
  const foot = document.querySelector(".lab-foot") ? "" : footOfLab(); // once a page
  frame.append(body, lab.message, foot);
  let working;
  machine.addEventListener("busy", ({ detail }) => {
    stop.ariaDisabled = String(!detail);
    clearTimeout(working);
    if (detail) working = setTimeout(() => (status.textContent = "Working …"), PATIENCE);
    else status.textContent = "";
  });
  machine.addEventListener("restart", () => {
    clearTimeout(working);
    status.textContent = "Stopped. Python starts again …";
  });
  try {
    await lab.settingUp(() => script.default(body, lab));
  } catch (error) {
    bar.replaceChildren(...offer);
    for (const part of [body, lab.message]) part.remove();
    frame.querySelector(".lab-foot")?.remove();
    for (const picture of pictures) picture.hidden = false;
    delete frame.dataset.state;
    throw error;
  }
  if (lab.message.parentElement === frame) body.querySelector(".lab-row")?.after(lab.message);
  frame.dataset.state = "ready"; // now it is seen
  if (isByKey) body.querySelector("input, select, textarea, button")?.focus({ preventScroll: true });
}

// What the reader has agreed to, and how to take it back
function footOfLab() {
  const starts = h("input", { type: "checkbox" });
  starts.checked = __md_get(CHOICE, sessionStorage) ?? false;
  starts.addEventListener("change", () => {
    __md_set(CHOICE, starts.checked, sessionStorage);
  });
  return h(
    "p",
    { className: "lab-foot" },
    h("label", {}, starts, " Labs start by themselves in this tab"),
    button("Forget what I trained and typed", forget),
  );
}

async function forget() {
  if (!confirm("Forget the models that you have trained, and all that you have typed?")) return;
  machine.end(); // it would keep its next step
  await forgetAll();
  location.reload();
}

// What a lab's script works with.
class Lab {
  #asked = new Map(); // name → the call under way: {next}
  #failed; // name of the call whose mistake is told; undefined for a run
  #isSettingUp = false;

  constructor(machine) {
    this.machine = machine;
    this.message = h("p", { className: "lab-message", role: "alert" });
    this.results = []; // elements that show what was asked for last
  }

  // Call a function and return its value. Of several calls of one function that wait,
  // only the last is made. Returns undefined if this one was dropped, or if it failed:
  // then the reader was told why. `onPrint` gets what the reader's code prints meanwhile.
  async ask(name, args = {}, onPrint = undefined) {
    const before = this.#asked.get(name);
    if (before) {
      before.next?.(false);
      const mine = await new Promise((resolve) => (before.next = resolve));
      if (!mine) return undefined;
    }
    const call = { next: null };
    this.#asked.set(name, call);
    const value = await this.attempt(this.#call(name, args, onPrint), name);
    this.#asked.delete(name);
    call.next?.(true);
    return value;
  }

  // Do the first part of a lab's script: what it asks for is then asked for again if
  // Python is stopped, so that the lab gets all that it is made of.
  async settingUp(action) {
    this.#isSettingUp = true;
    try {
      await action();
    } finally {
      this.#isSettingUp = false;
    }
  }

  async #call(name, args, onPrint) {
    try {
      return await this.machine.call(name, args, onPrint);
    } catch (error) {
      const isOver = !this.#isSettingUp || this.machine.isEnded;
      if (isOver || error.name !== "Stopped") throw error;
      return this.#call(name, args, onPrint);
    }
  }

  // Call a function again and again, until its value has `done` or the machine is
  // paused; `onStep` gets each value. Returns whether it came to its end.
  async run(name, args, onStep) {
    const end = this.machine.run(name, args, onStep).then(() => true);
    return (await this.attempt(end)) ?? false;
  }

  // Call a function as a run of one step, after which the machine keeps what the lab's
  // Python needs to go on. Returns its value; undefined as `ask` does.
  async begin(name, args = {}) {
    let begun;
    await this.run(name, args, (value) => (begun = value));
    return begun;
  }

  // Wait for a promise; tell the reader if it fails. A call that succeeds takes back only
  // what was said of itself: a look in the background says nothing about a mistake.
  async attempt(promise, name) {
    try {
      const value = await promise;
      if (!name || name === this.#failed) this.say("");
      return value;
    } catch (error) {
      if (error.name === "Stopped") return undefined;
      this.#failed = name;
      this.say(explain(error));
      if (name) this.#age(true);
      return undefined;
    }
  }

  // Show a message below the lab.
  say(text) {
    if (this.message.textContent !== text) this.message.textContent = text;
    if (!text) this.#age(false);
  }

  // Beside a mistake, the results are those of an earlier question: dim and out of use.
  #age(areOld) {
    for (const result of this.results) result.inert = areOld;
  }
}

function explain(error) {
  if (error.name === "LabError") return error.message;
  const last = error.message.trim().split("\n").at(-1);
  return `This is a mistake in the lab, not yours: ${last} (If it stays, reload the page.)`;
}

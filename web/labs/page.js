// The labs of the page that is open: starts the machine and brings each lab to life.

import { Machine } from "./machine.js";
import { h } from "./parts.js";

let machine = null;
let kept = []; // what the labs of the last page need to go on

// Start the machine and all labs of the page. `say` is told how far it is.
export async function start(say) {
  if (machine) return;
  const here = new Machine();
  machine = here;
  here.inherit(kept);
  try {
    await Promise.all([addStyle(), here.start((share) => say(progress(share)))]);
  } catch (error) {
    here.end();
    if (machine === here) machine = null;
    throw error;
  }
  if (machine !== here) return; // the page was left meanwhile
  await Promise.all([...document.querySelectorAll(".lab")].map((lab) => mount(lab, here)));
}

// The page is left: its machine ends, and what the reader trained is kept.
export function leave() {
  if (machine) kept = machine.end();
  machine = null;
}

function progress(share) {
  return share < 1 ? `Loading Python: ${Math.round(100 * share)} %` : "Starting Python …";
}

function addStyle() {
  const href = new URL("labs.css", import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return null;
  return new Promise((resolve, reject) => {
    const link = h("link", { rel: "stylesheet", href, onload: resolve, onerror: reject });
    document.head.append(link);
  });
}

async function mount(frame, machine) {
  const bar = frame.querySelector(".lab-bar");
  const status = h("small", { role: "status" });
  const stop = h("button", { type: "button", disabled: true, onclick: () => machine.stop() }, "Stop");
  bar.replaceChildren(bar.querySelector("strong"), status, stop);
  for (const still of [...frame.children]) still.hidden = still !== bar;
  const body = h("div", { className: "lab-body" });
  const lab = new Lab(machine);
  frame.append(body, lab.message);
  machine.addEventListener("busy", ({ detail }) => {
    stop.disabled = !detail;
    if (!detail) status.textContent = "";
  });
  machine.addEventListener("restart", () => {
    status.textContent = "Stopped. Python starts again …";
  });
  const script = await import(`./${frame.dataset.lab}.js`);
  await script.default(body, lab);
  frame.dataset.state = "ready";
}

// What a lab's script works with.
class Lab {
  #asked = new Map(); // name → the call under way: {next}

  constructor(machine) {
    this.machine = machine;
    this.message = h("p", { className: "lab-message", role: "alert" });
  }

  // Call a function and return its value. Of several calls of one function that wait,
  // only the last is made. Returns undefined if this one was dropped, or if it failed:
  // then the reader was told why.
  async ask(name, args = {}) {
    const before = this.#asked.get(name);
    if (before) {
      before.next?.(false);
      const mine = await new Promise((resolve) => (before.next = resolve));
      if (!mine) return undefined;
    }
    const call = { next: null };
    this.#asked.set(name, call);
    const value = await this.attempt(this.machine.call(name, args));
    this.#asked.delete(name);
    call.next?.(true);
    return value;
  }

  // Call a function again and again, until its value has `done` or the machine is
  // paused; `onStep` gets each value. Returns whether it came to its end.
  async run(name, args, onStep) {
    const end = this.machine.run(name, args, onStep).then(() => true);
    return (await this.attempt(end)) ?? false;
  }

  // Wait for a promise; tell the reader if it fails.
  async attempt(promise) {
    try {
      const value = await promise;
      this.say("");
      return value;
    } catch (error) {
      if (error.name !== "Stopped") this.say(explain(error));
      return undefined;
    }
  }

  // Show a message below the lab.
  say(text) {
    if (this.message.textContent !== text) this.message.textContent = text;
  }
}

function explain(error) {
  if (error.name === "LabError") return error.message;
  const last = error.message.trim().split("\n").at(-1);
  return `This is a mistake in the lab, not yours: ${last}`;
}

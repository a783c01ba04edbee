// The machine behind the labs of a page: a worker in which Python runs the program.
//
// The worker lives as long as the tab: a page that is left hands it over to the next one.
// It does one thing at a time. A `call` asks a function of labs/*/lab.py once; a `run` asks
// it again and again, until its answer has `done`, or until it is paused. After each
// step of a run the worker hands out what the lab needs to go on (`kept`), so that
// another worker can take over where one had to be ended.

const PATIENCE = 60; // milliseconds between being asked to stop and being ended
const LEFT = 2000; // the same where a page is left: no longer than Python takes to start

export class Stopped extends Error {
  constructor() {
    super("Stopped.");
    this.name = "Stopped";
  }
}

// Python itself has broken down: too deep a recursion in C, or the end of its process.
class Broken extends Error {
  constructor() {
    super(
      "Python broke down over this, and starts again. Does a function call itself " +
        "too often, or is something nested too deeply?",
    );
    this.name = "LabError"; // it is said as it is
  }
}

export class Machine extends EventTarget {
  // Events: `busy` (detail: whether something runs), `stop` (it was asked to stop),
  // `restart`, `end`, `step` (a step of a run is done; detail: the module's name).

  isEnded = false;
  settled; // a promise, once another page has left the worker: nothing of it runs any more
  #worker = null;
  #isMissing = false; // whether the worker could not be had at all
  #waiting = new Map(); // id → {promise, resolve, reject, onStep, onPrint}
  #last = 0;
  #kept = new Map(); // module → what it needs to go on
  #program = null; // the fingerprint of the program that it is for
  #starting = null; // the call that starts Python
  #report = () => {};

  // Start Python. `report` gets the share that is loaded, from 0 to 1.
  start(report = () => {}) {
    this.#report = report;
    this.#isMissing = false;
    this.#listenTo(new Worker(new URL("worker.js", import.meta.url), { type: "module" }));
    this.#starting = this.#last + 1;
    const kept = [...this.#kept];
    return this.#ask({ action: "start", kept, program: this.#program }).then((program) => {
      this.#program = program;
    });
  }

  // Return the value of labs/MODULE/lab.py's function; `name` is "module.function". What a
  // live screen shows meanwhile goes to `onPrint`, a line or more at a time.
  call(name, args = {}, onPrint) {
    return this.#ask({ action: "call", name, args }, { onPrint });
  }

  // Call a function until its value has `done`, or until `pause`; each value goes to
  // `onStep`. Only one run goes on at a time: another one pauses it.
  run(name, args, onStep) {
    this.pause();
    return this.#ask({ action: "run", name, args }, { onStep });
  }

  // End what runs repeatedly, between two steps.
  pause() {
    for (const [id, { onStep }] of this.#waiting) {
      if (onStep) this.#worker.postMessage({ action: "pause", run: id });
    }
  }

  // End whatever runs, at once. If it does not give way between two steps, the worker
  // is replaced, and the labs go on from their last finished step.
  async stop(patience = PATIENCE) {
    if (!this.busy) return;
    this.dispatchEvent(new Event("stop"));
    this.pause();
    const runs = [...this.#waiting.values()].map(({ promise }) => promise);
    const over = Promise.allSettled(runs).then(() => true);
    const late = new Promise((resolve) => setTimeout(resolve, patience, false));
    if (await Promise.race([over, late])) return;
    await this.#replace(new Stopped()).catch(() => {}); // the next call tells why
  }

  // End the worker for good.
  end() {
    this.isEnded = true;
    this.#worker?.terminate();
    for (const { reject } of this.#forget()) reject(new Stopped());
    this.dispatchEvent(new Event("end"));
  }

  // The page is left: what it asked for is given up, and this machine is of no use any
  // more. Returns that of the next page, which has the same worker.
  handOver() {
    const next = new Machine();
    next.#last = this.#last;
    next.#kept = this.#kept;
    next.#program = this.#program;
    next.#report = this.#report;
    next.#isMissing = this.#isMissing;
    next.#starting = this.#starting;
    next.#listenTo(this.#worker);
    this.#worker = null;
    const left = [];
    for (const [id, asked] of this.#waiting) {
      const isStart = id === this.#starting; // it goes on
      if (isStart) {
        next.#waiting.set(id, asked);
        continue;
      }
      left.push(asked);
      const nobodys = pending(asked.onStep && { onStep() {} });
      nobodys.promise.catch(() => {}); // nobody waits for how it ends
      next.#waiting.set(id, nobodys);
    }
    this.#forget();
    this.end();
    for (const { reject } of left) reject(new Stopped());
    next.settled = next.#settle();
    return next;
  }

  // Lay out a graph: nodes {id, width, height}, edges [from, to], settings of dagre.
  graph(nodes, edges, settings) {
    return this.#ask({ action: "graph", nodes, edges, settings });
  }

  get busy() {
    return this.#waiting.size > 0;
  }

  // End what the page before has left running.
  async #settle() {
    await this.#waiting.get(this.#starting)?.promise.catch(() => {});
    await this.stop(LEFT);
  }

  #listenTo(worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#isMissing = !event.message; // the script did not come
      const error = new Error(event.message || "the browser could not run the worker");
      error.name = "LabError";
      for (const { reject } of this.#forget()) reject(error);
    };
  }

  // Put another worker in the place of this one, and give up what it was asked.
  #replace(reason) {
    this.#worker.terminate();
    const ended = this.#forget();
    const started = this.start();
    this.dispatchEvent(new Event("restart"));
    for (const { reject } of ended) reject(reason);
    return started;
  }

  #ask(message, listeners) {
    if (this.isEnded) return Promise.reject(new Stopped());
    if (this.#isMissing && message.action !== "start") this.start().catch(() => {});
    const id = ++this.#last;
    const asked = pending(listeners);
    this.#waiting.set(id, asked);
    if (this.#waiting.size === 1) this.#say(true);
    this.#worker.postMessage({ ...message, id });
    return asked.promise;
  }

  // What the reader's code sends from the worker may be anything.
  #hear(message) {
    const { id, loaded, step, module, kept, printed, value, error, isFatal } = message ?? {};
    if (loaded !== undefined) return this.#report(loaded);
    const asked = this.#waiting.get(id);
    if (!asked) return;
    if (printed !== undefined) return asked.onPrint?.(String(printed));
    if (isFatal) return void this.#replace(new Broken()).catch(() => {});
    if (kept && asked.onStep) {
      if (kept.length) this.#kept.set(module, kept);
      asked.onStep(step);
      this.dispatchEvent(new CustomEvent("step", { detail: module }));
      return;
    }
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#say(false);
    if (error) asked.reject(Object.assign(new Error(error.message), { name: error.name }));
    else asked.resolve(value);
  }

  #forget() {
    const ended = [...this.#waiting.values()];
    this.#waiting.clear();
    if (ended.length) this.#say(false);
    return ended;
  }

  #say(busy) {
    this.dispatchEvent(new CustomEvent("busy", { detail: busy }));
  }
}

function pending(listeners) {
  const asked = { ...listeners };
  asked.promise = new Promise((resolve, reject) => Object.assign(asked, { resolve, reject }));
  return asked;
}

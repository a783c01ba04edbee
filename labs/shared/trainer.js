// The buttons of a training: so many steps, all of them, pause, resume, reset.
//
// What is asked for adds up: each click adds its steps to those that are still to be done.
// A pause puts these aside, and `Resume` adds them again. The lab's Python has a function
// that does a step up to `until`; when it gets there and more was asked for meanwhile, it
// is asked to go on. So no click disturbs what goes on, and none is lost.

import { button, count, h } from "./controls.js";

export class Trainer {
  done = 0; // steps
  steps = 0; // that there are in all
  #ahead = 0; // steps to be done now
  #aside = 0; // steps that wait for `Resume`
  #isRunning = false; // whether Python does steps
  #isEnding = false; // whether it was asked to end that
  #waiting = []; // what else is to be done, as soon as no run goes on
  #work = null; // the promise of all that is under way

  // `name` is the function's, "module.step". `onStart` is called before a run, `onStep`
  // gets each value of the function, `onRest` is called when a run is over, `begin` when
  // all is to begin anew, and `onRestart` when another worker has taken over.
  constructor(lab, name, counts, { onStart, onStep, onRest, begin, onRestart }) {
    Object.assign(this, { lab, name, onStart, onStep, onRest });
    this.said = h("p", { className: "lab-said", role: "status" });
    this.pause = button("Pause", () => (this.#ahead ? this.#pause() : this.#resume()));
    this.reset = () => this.after(begin);
    const some = counts.map((n) => {
      return button(n === 1 ? "1 step" : `${n} steps`, () => this.#train(n));
    });
    const all = button("All steps", () => this.#train(Infinity));
    this.buttons = [...some, all, this.pause, button("Reset", this.reset)];
    lab.machine.addEventListener("stop", () => this.#putAside());
    lab.machine.addEventListener("restart", () => this.#then(onRestart));
  }

  // Give up the steps that are still to be done, and do something as soon as no run goes on
  after(action) {
    this.#ahead = this.#aside = 0;
    this.#end();
    return this.#then(action);
  }

  // Show where the training stands: steps that are done, steps in all, and what is amiss
  stand(done, steps, trouble = "") {
    Object.assign(this, { done, steps });
    const so = done ? `So far: step ${count(done)} of ${count(steps)}.` : "Ready to begin.";
    this.#tell(trouble || (this.#ahead || this.#aside ? "" : so));
  }

  // For `onRestart`: show what another worker knows, or begin if it knows nothing
  async takeUp(begin, show) {
    const [module] = this.name.split(".");
    const status = await this.lab.ask(`${module}.status`);
    if (status === undefined) return; // stopped once more
    if (!status) return begin();
    await show(status);
    await this.onRest();
  }

  #train(n) {
    this.#ahead += n;
    this.#tell();
    this.#work ??= this.#go();
  }

  #pause() {
    this.#putAside();
    this.#end();
  }

  #resume() {
    if (!this.#aside) return this.#tell("Nothing is paused. Choose how many steps to train.");
    const aside = this.#aside;
    this.#aside = 0;
    this.#train(aside);
  }

  #putAside() {
    this.#aside += this.#ahead;
    this.#ahead = 0;
    this.#tell();
  }

  #end() {
    this.#isEnding = true;
    this.lab.machine.pause();
  }

  #then(action) {
    return new Promise((resolve) => {
      this.#waiting.push(async () => resolve(await action()));
      this.#work ??= this.#go();
    });
  }

  // Do all that is to be done
  async #go() {
    while (this.#waiting.length || this.#ahead) {
      if (this.#waiting.length) await this.#waiting.shift()();
      else if (this.done < this.steps) await this.#run();
      else this.#giveUp(`All ${count(this.steps)} steps are done. Reset begins anew.`);
    }
    this.#work = null;
  }

  // Let Python do the steps that are to be done now
  async #run() {
    let last = null; // what was told of the last step
    this.#isEnding = false;
    await this.onStart?.();
    if (!this.#ahead) return;
    const until = this.#goal();
    this.#isRunning = true;
    const isWhole = await this.lab.run(this.name, { until }, (told) => {
      last = told;
      this.done = told.step;
      if (!this.#waiting.length) this.#count(); // else nobody waits for it any more
      this.onStep(told);
    });
    this.#isRunning = false;
    const isCut = !isWhole || (!last?.done && !this.#isEnding); // by Stop, or another lab
    if (isCut) this.#putAside();
    if (last?.trouble || this.done === this.steps) this.#giveUp(last?.trouble);
    if (this.#ahead || this.#waiting.length) return;
    if (!last?.trouble) this.#tell();
    await this.onRest?.();
  }

  #count() {
    if (this.#ahead) this.#ahead -= 1;
    else if (this.#aside) this.#aside -= 1;
  }

  #giveUp(why) {
    this.#ahead = this.#aside = 0;
    this.#tell(why);
  }

  #goal() {
    return Math.min(this.steps, this.done + this.#ahead);
  }

  #tell(words = "") {
    const isPaused = !this.#ahead && this.#aside > 0;
    this.pause.textContent = isPaused ? "Resume" : "Pause";
    this.pause.ariaDisabled = String(!this.#ahead && !this.#aside);
    this.said.textContent = words || this.#howFar();
  }

  #howFar() {
    if (this.#ahead) return `Training to step ${count(this.#goal())} …`;
    if (this.done === this.steps) return `All ${count(this.steps)} steps are done.`;
    if (this.#aside && this.#isRunning) return "Pausing …";
    const words = `step ${count(this.done)} of ${count(this.steps)}`;
    return this.#aside ? `Paused after ${words}.` : `Done: ${words}.`;
  }
}

// The buttons of a training: so many steps, all of them, pause, resume, reset.
//
// The lab's Python has a function that does a step up to `until`. What is asked for
// while something goes on waits until that has come to a stop, between two steps.

import { button, count, h } from "./controls.js";

export class Trainer {
  done = 0; // steps
  steps = 0; // that there are in all
  #target = 0; // the step that the present run goes to
  #isRunning = false;
  #turn = Promise.resolve();

  // `name` is the function's, "module.step". `onStart` is called before a run, `onStep`
  // gets each value of the function, `onRest` is called when a run is over, `begin` when
  // all is to begin anew, and `onRestart` when another worker has taken over.
  constructor(lab, name, counts, { onStart, onStep, onRest, begin, onRestart }) {
    Object.assign(this, { lab, name, onStart, onStep, onRest });
    this.said = h("p", { className: "lab-said", role: "status" });
    this.pause = button("Pause", () => (this.#isRunning ? lab.machine.pause() : this.#resume()));
    this.reset = () => this.after(begin);
    const some = counts.map((n) => {
      return button(n === 1 ? "1 step" : `${n} steps`, () => this.#train(n));
    });
    const all = button("All steps", () => this.#train(Infinity));
    this.buttons = [...some, all, this.pause, button("Reset", this.reset)];
    lab.machine.addEventListener("restart", () => this.#then(onRestart));
  }

  // Do something as soon as nothing goes on any more
  after(action) {
    this.lab.machine.pause();
    return this.#then(action);
  }

  // Show where the training stands: steps that are done, steps in all, and what is amiss
  stand(done, steps, trouble = "") {
    Object.assign(this, { done, steps });
    if (!done) this.#target = 0;
    this.#setRunning(false);
    this.said.textContent = trouble || (done ? this.#howFar() : "Ready to begin.");
  }

  #then(action) {
    this.#turn = this.#turn.then(action);
    return this.#turn;
  }

  #train(count) {
    return this.after(() => this.#go(Math.min(this.steps, this.done + count)));
  }

  #resume() {
    if (this.done < this.#target) return this.after(() => this.#go(this.#target));
    this.said.textContent = "Nothing is paused. Choose how many steps to train.";
  }

  async #go(until) {
    if (this.done === this.steps) {
      this.said.textContent = `All ${count(this.steps)} steps are done. Reset begins anew.`;
      return;
    }
    this.#target = until;
    this.#setRunning(true);
    this.said.textContent = `Training to step ${count(until)} …`;
    let trouble = "";
    await this.onStart?.();
    await this.lab.run(this.name, { until }, (told) => {
      ({ step: this.done, trouble } = told);
      this.onStep(told);
    });
    this.#setRunning(false);
    this.said.textContent = trouble || this.#howFar();
    await this.onRest?.();
  }

  #setRunning(now) {
    this.#isRunning = now;
    const isPaused = !now && this.done < this.#target;
    this.pause.textContent = isPaused ? "Resume" : "Pause";
    this.pause.ariaDisabled = String(!now && !isPaused);
  }

  #howFar() {
    if (this.done === this.steps) return `All ${count(this.steps)} steps are done.`;
    const words = `step ${count(this.done)} of ${count(this.steps)}`;
    return this.done < this.#target ? `Paused after ${words}.` : `Done: ${words}.`;
  }
}

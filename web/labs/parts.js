// Small parts that several labs are made of. Text always goes in as text.

// Make an element: h("p", {className: "note"}, "some ", h("b", {}, "text")).
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

// The same for SVG.
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  return fill(element, attributes, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name in element && !(element instanceof SVGElement)) element[name] = value;
    else if (typeof value === "function") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// A labelled control: field("Name", h("input")).
export function field(label, control) {
  return h("label", { className: "lab-field" }, h("span", {}, label), control);
}

// A slider that shows its value. `onInput` gets the number.
export function slider(label, { min, max, step, value }, onInput) {
  // Not an output element: the label would be that one's, and the slider have no name.
  const output = h("span", { ariaHidden: "true" }, String(value));
  const input = h("input", { type: "range", min, max, step, value });
  input.addEventListener("input", () => {
    output.textContent = input.value;
    onInput(Number(input.value));
  });
  return h("label", { className: "lab-field" }, h("span", {}, label, " ", output), input);
}

// A choice: options is {value: text}.
export function choice(label, options, value, onChange) {
  const entries = Object.entries(options);
  const items = entries.map(([value, text]) => h("option", { value }, text));
  const select = h("select", { onchange: () => onChange(select.value) }, ...items);
  select.value = value;
  return field(label, select);
}

// What the models of labs/models.py are called.
export const MODELS = {
  untrained: "before training",
  trained: "after 1,000 steps",
  yours: "yours, as it is now",
};

// A choice among the models that there are. `onChange` is called with the first one,
// whenever another is chosen, and after each step of training if it is the reader's.
// A script chooses with the control's own `choose(which)`.
export async function modelChoice(lab, first, onChange) {
  const control = choice("Model", {}, "", onChange);
  const select = control.querySelector("select");

  async function offer(value) {
    const names = await lab.ask("models.names_of_models");
    if (!names) return;
    select.replaceChildren(...names.map((name) => h("option", { value: name }, MODELS[name])));
    select.value = names.includes(value) ? value : names[0];
  }

  lab.machine.addEventListener("step", async ({ detail }) => {
    if (detail !== "training") return;
    if (select.options.length < 3) await offer(select.value);
    if (select.value === "yours") onChange("yours");
  });
  control.choose = async (which) => {
    await offer(which);
    onChange(select.value);
  };
  await control.choose(first);
  return control;
}

export function button(text, onclick) {
  return h("button", { type: "button", onclick }, text);
}

// A number of the worker's with so many decimals; "nan" and "inf" stay words.
export function fixed(number, decimals = 4) {
  return typeof number === "number" ? number.toFixed(decimals) : String(number);
}

export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

// An action that is done at most once in so many milliseconds: what is asked for in the
// meantime waits, and of several askings the last one counts.
export function seldom(action, rest) {
  let next = null; // arguments of the asking that waits
  let isResting = false;
  return function ask(...args) {
    if (isResting) return void (next = args);
    isResting = true;
    action(...args);
    setTimeout(() => {
      const waiting = next;
      isResting = false;
      next = null;
      if (waiting) ask(...waiting);
    }, rest);
  };
}

// How far keys go in a grid: [down, right].
export const ARROWS = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

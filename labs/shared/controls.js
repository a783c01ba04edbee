// Elements and controls that the labs share. Text always goes in as text.

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

// A labelled control: field("Name", h("input")). The label may be a list of parts.
export function field(label, control) {
  return h("label", { className: "lab-field" }, h("span", {}, ...[label].flat()), control);
}

// A slider that shows its value. `onInput` gets the number.
export function slider(label, { min, max, step, value }, onInput) {
  // An output element would take the label for itself, and the slider have no name.
  const output = h("span", { ariaHidden: "true" }, String(value));
  const input = h("input", { type: "range", min, max, step, value });
  input.addEventListener("input", () => {
    output.textContent = input.value;
    onInput(Number(input.value));
  });
  return field([label, " ", output], input);
}

// A field for a short text, which is taken as it is typed. `onInput` gets it.
export function textField(label, value, onInput, properties = {}) {
  const plain = { autocapitalize: "none", autocomplete: "off", spellcheck: false };
  const input = h("input", { value, maxLength: 500, ...plain, ...properties });
  input.addEventListener("input", () => onInput(input.value));
  return field(label, input);
}

// A choice: options is {value: text}.
export function choice(label, options, value, onChange) {
  const items = Object.entries(options).map(([value, text]) => option(value, text));
  const select = h("select", { onchange: () => onChange(select.value) }, ...items);
  select.value = value;
  return field(label, select);
}

export function option(value, text) {
  return h("option", { value }, text);
}

// What the models of models.py are called.
export const MODELS = {
  untrained: "before training",
  trained: "after 1,000 steps",
  yours: "yours, as it is now",
};

// A choice among the models that there are, none until a script calls the control's own
// `choose(which)`. `onChange` is called with each new choice and, while the reader's model
// is chosen and trained, again and again, with a rest of so many milliseconds between.
// `none` are the words for the choice of no model; without them there has to be one.
export function modelChoice(lab, onChange, rest, { label = "Model", none } = {}) {
  const control = choice(label, {}, "", onChange);
  const select = control.querySelector("select");
  const isYours = () => select.value === "yours";
  const follow = seldom(() => isYours() && onChange("yours"), rest);

  async function offer(which) {
    const names = await lab.ask("shared.models.names_of_models");
    if (!names) return;
    const value = which ?? select.value;
    const models = names.map((name) => option(name, MODELS[name]));
    select.replaceChildren(...(none ? [option("", none)] : []), ...models);
    select.value = value;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  }

  lab.machine.addEventListener("step", async ({ detail }) => {
    if (detail !== "training") return;
    const hasYours = [...select.options].some(({ value }) => value === "yours");
    if (!hasYours) await offer();
    if (isYours()) follow();
  });
  control.choose = async (which) => {
    const before = select.value;
    await offer(which);
    if (select.value !== before) await onChange(select.value);
  };
  return control;
}

export function button(text, onclick) {
  return h("button", { type: "button", onclick }, text);
}

// A number of the worker's with so many decimals; "nan" and "inf" stay words.
export function fixed(number, decimals = 4) {
  return typeof number === "number" ? number.toFixed(decimals) : String(number);
}

// A whole number, its thousands set apart.
export function count(number) {
  return number.toLocaleString("en");
}

// Names in a row; a name may be empty.
export function nameList(names) {
  return names.map((name) => name || "(nothing)").join(", ");
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

// How far a key goes in a grid, [down, right]; undefined for other keys.
export function arrow({ key, altKey, ctrlKey, metaKey }) {
  return altKey || ctrlKey || metaKey ? undefined : ARROWS[key];
}

const ARROWS = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

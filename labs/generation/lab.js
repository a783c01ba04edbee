// Sampling's lab: names drawn letter by letter; each letter opens what it was drawn from.

import { arrow, button, fixed, h, modelChoice, percent, slider, textField } from "../shared/controls.js";

const AT_ONCE = 10; // names
const REST = 700; // milliseconds between two looks at a model that is being trained

export default async function generation(body, lab) {
  const settings = { model: "trained", temperature: 0.5, seed: "42", prompt: "" };
  const shown = { count: AT_ONCE, drawn: 0, first: 1, answer: null, row: 0, column: 0 };
  const grid = h("div", { className: "gen-names", role: "grid", ariaLabel: "Names" });
  const said = h("p", { className: "lab-said", role: "status" });
  const opened = h("p", { className: "gen-opened", role: "status" });
  const why = h("p", { className: "lab-said" });
  const bars = h("ol", { className: "gen-bars", ariaLabel: "Probabilities of all tokens" });

  // Draw `count` names with the random numbers after the first `drawn`.
  async function draw(count, drawn, first) {
    const asked = { ...settings };
    const answer = await lab.ask("generation.names", { ...asked, count, drawn });
    if (!answer) return;
    Object.assign(shown, { count, drawn, first, answer });
    const last = first + count - 1;
    const which = count === 1 ? `Name ${first}` : `Names ${first} to ${last}`;
    said.textContent =
      `${which} from the random numbers of seed ${asked.seed.trim()}. The greener a letter, ` +
      "the likelier it was. Choose one to see what it was drawn from.";
    showNames();
  }

  const again = () => draw(AT_ONCE, 0, 1);
  const further = (count) => () => {
    if (shown.answer) draw(count, shown.answer.drawn, shown.first + shown.count);
  };

  function set(name, value) {
    settings[name] = value;
    return again();
  }

  function showNames() {
    const held = grid.contains(document.activeElement);
    const { answer, first } = shown;
    grid.replaceChildren(...answer.names.map((name, row) => rowOf(name, row, first + row)));
    shown.row = Math.min(shown.row, answer.names.length - 1);
    open(shown.row, shown.column, held);
  }

  function rowOf(name, row, number) {
    const given = [...name.text].slice(0, shown.answer.given);
    const note = remark(name, shown.answer.tokens);
    return h(
      "div",
      { role: "row", className: "gen-name" },
      h("span", { role: "rowheader", className: "gen-number" }, String(number)),
      ...given.map((c) => h("span", { role: "gridcell", className: "gen-given" }, c)),
      ...name.draws.map((draw, column) => cellOf(draw, row, column)),
      note ? h("span", { role: "gridcell", className: "gen-note" }, note) : null,
    );
  }

  function cellOf(draw, row, column) {
    const token = shown.answer.tokens[draw.token];
    const share = draw.probs[draw.token];
    const isEnd = token === "BOS";
    const properties = {
      type: "button",
      className: isEnd ? "gen-letter gen-end" : "gen-letter",
      ariaLabel: `${isEnd ? "end" : token}, ${percent(share)}`,
      onclick: () => open(row, column, true),
    };
    const letter = h("button", properties, isEnd ? "end" : token);
    letter.style.setProperty("--share", share);
    return h("span", { role: "gridcell" }, letter);
  }

  // Show what a letter was drawn from, and let the arrow keys go on from there.
  function open(row, column, focus = false) {
    const rows = [...grid.children].map((each) => [...each.querySelectorAll("button")]);
    column = Math.max(0, Math.min(column, rows[row].length - 1));
    Object.assign(shown, { row, column });
    for (const letter of rows.flat()) {
      const isOpen = letter === rows[row][column];
      letter.setAttribute("aria-pressed", isOpen);
      letter.tabIndex = isOpen ? 0 : -1;
      if (isOpen && focus) letter.focus();
    }
    showDraw();
  }

  function showDraw() {
    const { answer, first, row, column } = shown;
    const name = answer.names[row];
    const draw = name.draws[column];
    const before = [...name.text].slice(0, answer.given + column).join("");
    const where = before ? `after “${before}”` : "at the beginning";
    const token = answer.tokens[draw.token];
    const what = token === "BOS" ? "the end" : `“${token}”`;
    const share = percent(draw.probs[draw.token]);
    opened.textContent = `Name ${first + row}, ${where}: ${what} was drawn, at ${share}.`;
    const [low, high] = draw.between.map((sum) => fixed(sum));
    why.textContent =
      `The random number was ${fixed(draw.random)}. Added up from a on, the probabilities ` +
      `reach ${low} before ${what} and ${high} with it: so it became ${what}. The thin ` +
      "marks are the probabilities at temperature 1.";
    const most = Math.max(...draw.probs, ...draw.plain);
    bars.replaceChildren(...answer.tokens.map((text, i) => bar(text, i, draw, most)));
  }

  grid.addEventListener("keydown", (event) => {
    const { row, column, answer } = shown;
    const [down, right] = arrow(event) ?? [0, 0];
    if (!down && !right) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(row + down, answer.names.length - 1));
    open(next, column + right, true);
  });

  const numeric = { inputMode: "numeric", maxLength: null, size: 6 }; // cut, it would be another
  const warmth = { min: 0.1, max: 2, step: 0.1, value: settings.temperature };
  const model = modelChoice(lab, (which) => set("model", which), REST);
  const drawn = { className: "gen-draw", ariaLabel: "What the letter was drawn from" };
  lab.results = [said, grid, h("section", drawn, opened, bars, why)];
  body.append(
    h(
      "div",
      { className: "lab-row" },
      model,
      slider("Temperature", warmth, (number) => set("temperature", number)),
      textField("Beginning", settings.prompt, (text) => set("prompt", text), { size: 10 }),
      textField("Seed", settings.seed, (text) => set("seed", text), numeric),
    ),
    h(
      "div",
      { className: "lab-row" },
      button("Next name", further(1)),
      button("Next ten names", further(AT_ONCE)),
      button("From the start", again),
    ),
    ...lab.results,
  );
  await model.choose(settings.model);
}

function remark({ draws, listed, seen }, tokens) {
  if (tokens[draws.at(-1).token] !== "BOS") return "no end: its positions are full";
  if (!listed) return "";
  if (seen === null) return "in the book’s list";
  return seen ? "in the list, and learned from" : "in the list, but never seen";
}

function bar(text, token, { probs, plain, token: drawn }, most) {
  const line = h("span", { className: "gen-bar" });
  line.style.setProperty("--share", probs[token] / most);
  line.style.setProperty("--plain", plain[token] / most);
  return h(
    "li",
    { className: token === drawn ? "drawn" : "" },
    h("b", {}, text === "BOS" ? "end" : text),
    line,
    h("span", {}, percent(probs[token])),
    token === drawn ? h("span", { className: "lab-unseen" }, "drawn") : null,
  );
}

// The tokenizer's lab: type a text, see its tokens.

import { button, h, textField } from "../shared/controls.js";

export default async function tokenizer(body, lab) {
  const typed = textField("Text", "emma", show);
  const input = typed.querySelector("input");
  const chips = h("ol", { className: "lab-chips", ariaLabel: "Tokens" });
  const said = h("p", { className: "lab-said", role: "status" });
  const offered = h("span", { className: "lab-row" });
  const others = button("Other names", offer);
  const names = h("div", { className: "lab-row tok-names" }, "From the list:", offered, others);

  async function show() {
    const answer = await lab.ask("tokenizer.encode", { text: input.value });
    if (!answer) return;
    chips.replaceChildren(...answer.entries.map(chip));
    said.replaceChildren(...sentence(answer));
  }

  async function offer() {
    const some = await lab.ask("tokenizer.some_names");
    if (!some) return;
    const use = (name) => () => ((input.value = name), show());
    offered.replaceChildren(...some.map((name) => button(name, use(name))));
  }

  const table = h("ol", { className: "lab-chips", ariaLabel: "All tokens" });
  const summary = h("summary", {}, "All tokens");
  const all = h("details", {}, summary, table);
  lab.results = [chips, said];
  body.append(h("div", { className: "lab-row" }, typed), ...lab.results, names, all);
  await show();
  await offer();
  const tokens = await lab.ask("tokenizer.table");
  if (!tokens) return;
  summary.textContent = `All ${tokens.length} tokens`;
  table.append(...tokens.map(chip));
}

function chip({ text, id }) {
  const shown = text === " " ? "␣" : text;
  const kind = id === null ? "unknown" : text === "BOS" ? "mark" : "letter";
  return h("li", { className: `lab-chip ${kind}` }, h("b", {}, shown), h("span", {}, id ?? "?"));
}

function sentence({ entries, tokens, lower }) {
  if (tokens) {
    const call = `encode gives [${tokens.join(", ")}]`;
    return [h("code", {}, call), `: ${tokens.length} tokens, BOS at both ends.`];
  }
  const unknown = [...new Set(entries.filter((e) => e.id === null).map((e) => e.text))];
  const quoted = unknown.map((c) => (c.trim() ? `“${c}”` : "a space"));
  const them = unknown.length > 1 ? "are no numbers for them" : "is no number for it";
  return [
    `No document has ${quoted.join(", ")}, so there ${them}, and the program would refuse ` +
      "this text.",
    lower ? ` The names in the list are in lower case: try “${lower}”.` : "",
  ];
}

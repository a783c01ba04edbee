// The tokenizer's lab: type a text, see its tokens.

import { button, field, h } from "./parts.js";

export default async function tokenizer(body, lab) {
  const input = h("input", { value: "emma", maxLength: 500, spellcheck: false });
  const chips = h("ol", { className: "lab-chips", ariaLabel: "Tokens" });
  const said = h("p", { className: "lab-said", role: "status" });
  const names = h("div", { className: "lab-row" });

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
    names.replaceChildren(
      h("span", {}, "From the list:"),
      ...some.map((name) => button(name, use(name))),
      button("others", offer),
    );
  }

  input.addEventListener("input", show);
  const table = h("ol", { className: "lab-chips" });
  const all = h("details", {}, h("summary", {}, "All tokens"), table);
  body.append(h("div", { className: "lab-row" }, field("Text", input)), chips, said, names, all);
  await show();
  await offer();
  table.append(...(await lab.ask("tokenizer.table")).map(chip));
}

function chip({ text, id }) {
  const shown = text === " " ? "␣" : text;
  const kind = id === null ? "unknown" : text === "BOS" ? "mark" : "letter";
  return h("li", { className: `lab-chip ${kind}` }, h("b", {}, shown), h("span", {}, id ?? "?"));
}

function sentence({ entries, tokens }) {
  if (tokens) {
    const call = `encode gives [${tokens.join(", ")}]`;
    return [h("code", {}, call), `: ${tokens.length} tokens, BOS at both ends.`];
  }
  const unknown = [...new Set(entries.filter((e) => e.id === null).map((e) => e.text))];
  return [
    `No document has ${unknown.map((c) => `“${c}”`).join(", ")}, so there is no number ` +
      "for it, and the program would refuse this text.",
  ];
}

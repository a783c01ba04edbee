// What a program learns from: a list of the book, the published one, or the reader's own.

import { choice, count, field, h } from "./controls.js";

const LISTS = {
  names: "the book's names",
  places: "places in Greece",
  published: "the published names, from GitHub",
  own: "a list of your own",
};
const PUBLISHED = "https://raw.githubusercontent.com/karpathy/makemore/988aa59/names.txt";
const INTEGRITY = "sha256-CjC1VX8ZLzKrliaAiJqsX2/aD0zs9AptC1aU9Y6ozE0=";
const SHOWN = 20_000; // characters of a file that are shown, to be edited
const MOST = 8_000_000; // bytes of a file that is read at all

// `onChange` is called when another list is there: one that is chosen, or a file.
export function listPart(onChange) {
  let file = ""; // what was read and is too long to be shown
  const control = choice("Learn from", LISTS, "names", () => {
    show();
    if (select.value !== "own") onChange();
  });
  const select = control.querySelector("select");
  const picker = h("input", { type: "file", accept: ".txt,.csv,text/*", onchange: read });
  const typed = h("textarea", { rows: 2, spellcheck: false });
  const said = h("p", { className: "lab-note", role: "status" });
  const list = field("Or paste it here, one name a line", typed);
  const own = h("div", { className: "train-own" }, field("A file", picker), list, said);

  function show() {
    own.hidden = select.value !== "own";
  }

  async function read() {
    if (!picker.files.length) return;
    const [{ name, size }] = picker.files;
    try {
      if (size > MOST) throw new Error("it is too large");
      const bytes = await picker.files[0].arrayBuffer();
      take(new TextDecoder("utf-8", { fatal: true }).decode(bytes), name);
      onChange();
    } catch (error) {
      const why = error instanceof TypeError ? "it is no text in UTF-8" : error.message;
      said.textContent = `${name} cannot be read: ${why}.`;
    }
  }

  function take(text, name) {
    const isLong = text.length > SHOWN;
    file = isLong ? text : "";
    typed.value = isLong ? "" : text;
    typed.placeholder = isLong ? "Too long to be shown. What you write here takes its place." : "";
    said.textContent = `${name}: ${count(text.length)} characters.`;
  }

  // What `begin` of a lab is given for the list
  async function given() {
    if (select.value === "own") return { data: typed.value || file };
    return select.value === "published" ? { data: await published() } : { names: select.value };
  }

  function set(names, data = null) {
    if (names in LISTS) select.value = names;
    if (data !== null && data === fetched) select.value = "published";
    else if (data !== null) {
      select.value = "own";
      take(data, "Your list");
      said.textContent = "";
    }
    show();
  }

  show();
  return {
    control,
    own,
    given,
    set,
    get isOwn() {
      return select.value === "own";
    },
    get names() {
      return select.value === "own" ? null : select.value;
    },
  };
}

let fetched = null; // the published list, once the reader has asked for it

async function published() {
  try {
    const answer = fetched ?? (await fetch(PUBLISHED, { integrity: INTEGRITY }));
    return (fetched = typeof answer === "string" ? answer : await answer.text());
  } catch {
    const words =
      "The published list could not be fetched. If you have it as a file, choose “a list of " +
      "your own”.";
    throw Object.assign(new Error(words), { name: "LabError" });
  }
}

// The colours of Python's words in an editor, as the pages have them.

const WORDS =
  "and as assert async await break class continue def del elif else except finally for from " +
  "global if import in is lambda nonlocal not or pass raise return try while with yield True " +
  "False None";
const KINDS = {
  comment: /#.*/,
  string: /[rbfu]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)/,
  keyword: new RegExp(`\\b(?:${WORDS.replaceAll(" ", "|")})\\b`),
  number: /\b\d[\w.]*/,
};
const ALL = Object.entries(KINDS).map(([kind, { source }]) => `(?<${kind}>${source})`);
const TOKEN = new RegExp(ALL.join("|"), "g");

// Return a text as nodes, in which the tokens that have a colour are elements.
export function coloured(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(TOKEN)) {
    const element = document.createElement("span");
    element.className = `code-${Object.keys(KINDS).find((kind) => found.groups[kind])}`;
    element.textContent = found[0];
    nodes.push(text.slice(end, found.index), element);
    end = found.index + found[0].length;
  }
  return [...nodes, text.slice(end)];
}

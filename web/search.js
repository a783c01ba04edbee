// What a reader asks for, in the words of the book. The build puts this in front of
// Material's search worker, so each question passes here before it is answered.

(() => {
  // What others say, and what the book says.
  const synonyms = {
    autodiff: "automatic differentiation",
    autograd: "automatic differentiation",
    backprop: "backpropagation",
    checkpoint: "stopping going",
    "feed forward": "mlp",
    feedforward: "mlp",
    "finite difference": "nudge slope",
    "layer norm": "layernorm",
    llm: "chatgpt",
    "multi head attention": "several heads",
    "numerical gradient": "nudge slope",
    "positional embedding": "wpe",
    "positional encoding": "wpe",
    resume: "stopping going",
    rope: "rotary",
    sgd: "gradient descent",
    "skip connection": "residual stream",
    speed: "fast",
    "stochastic gradient descent": "gradient descent",
    "weight tying": "tied head",
  };
  const theirs = Object.keys(synonyms).flatMap((phrase) => phrase.split(" "));
  let index; // lunr's index of the pages
  let known; // every word in it, and theirs

  /** Tell whether a word is the beginning of a known one. */
  function isKnown(word) {
    const beginning = lunr.TokenSet.fromString(`${word}*`);
    return known.intersect(beginning).toArray().length > 0;
  }

  /** Return how many texts a word stands in. */
  function frequency(word) {
    return Object.keys(index.invertedIndex[word]?.text || {}).length;
  }

  /** Return the word that was meant: its stem is known, or it has a slip or two. */
  function mended(word) {
    const stem = lunr.stemmer(new lunr.Token(word)).toString();
    const found = [word, stem].find(isKnown);
    if (found) return found;
    for (const slips of [1, 2]) {
      if (word.length <= 3 * slips) break;
      const near = known.intersect(lunr.TokenSet.fromFuzzyString(word, slips));
      const better = (a, b) => b.length - a.length || frequency(b) - frequency(a);
      const [best] = near.toArray().sort(better);
      if (best) return best;
    }
    return word;
  }

  /** Return a question for lunr: pages with all its words, or else with any of them. */
  function understood(question) {
    const all = question.toLowerCase().match(/[\p{L}\p{N}_]+/gu) || [];
    const telling = all.filter(lunr.stopWordFilter);
    let said = (telling.length ? telling : all).map(mended).join(" ");
    for (const [phrase, ours] of Object.entries(synonyms)) {
      said = said.replace(new RegExp(`\\b${phrase}s?\\b`), ours);
    }
    const words = said.split(" ");
    const together = words.map((word) => `+${word}*`).join(" ");
    const any = words.map((word) => `${word}*`).join(" ");
    const exact = words.map((word) => `${word}^3`).join(" ");
    return `${index.search(together).length ? together : any} ${exact}`;
  }

  addEventListener("message", ({ data }) => {
    if (data.type === 0) {
      const { build } = lunr.Builder.prototype;
      lunr.Builder.prototype.build = function () {
        index = build.call(this);
        const words = [...theirs, ...Object.keys(index.invertedIndex)];
        known = lunr.TokenSet.fromArray([...new Set(words)].sort());
        return index;
      };
    }
    if (data.type === 2 && data.data.trim()) data.data = understood(data.data);
  });
})();

// The forward pass of microgpt in JavaScript, as a port:
//     python conformance/check.py -- node conformance/ports/forward.js
"use strict";
const { createInterface } = require("node:readline");

const add = (x, y) => x.map((n, i) => n + y[i]);
const dot = (x, y) => x.reduce((sum, n, i) => sum + n * y[i], 0);
const linear = (x, w) => w.map((row) => dot(row, x));

function rmsnorm(x) {
  const scale = (dot(x, x) / x.length + 1e-5) ** -0.5;
  return x.map((n) => n * scale);
}

function softmax(scores) {
  const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
  const total = powers.reduce((sum, power) => sum + power);
  return powers.map((power) => power / total);
}

// Cut the flat list of weights into matrices, in the published order.
function matrices({ n_embd: n, n_layer, block_size, vocab_size, weights }) {
  const numbers = weights.values();
  const take = (rows, columns) =>
    Array.from({ length: rows }, () =>
      Array.from({ length: columns }, () => numbers.next().value));
  const names = { wte: take(vocab_size, n), wpe: take(block_size, n) };
  names.lm_head = take(vocab_size, n);
  names.layers = Array.from({ length: n_layer }, () => ({
    wq: take(n, n), wk: take(n, n), wv: take(n, n), wo: take(n, n),
    fc1: take(4 * n, n), fc2: take(n, 4 * n), keys: [], values: [],
  }));
  return names;
}

function forward(given) {
  const model = matrices(given), answer = {};
  const note = (name, x) => ((answer[name] ??= []).push(...x), x);
  const size = given.n_embd / given.n_head;
  const count = Math.min(given.block_size, given.lengths[0] - 1);
  for (let position = 0; position < count; position++) {
    const row = model.wte[given.tokens[position]];
    let x = note("embedded", add(row, model.wpe[position]));
    x = note("normed", rmsnorm(x));
    model.layers.forEach((layer, i) => {
      const noted = (name, x) => note(`layer${i}.${name}`, x);
      const normed = noted("normed", rmsnorm(x));
      const query = noted("query", linear(normed, layer.wq));
      layer.keys.push(noted("key", linear(normed, layer.wk)));
      layer.values.push(noted("value", linear(normed, layer.wv)));
      const found = [];
      for (let start = 0; start < given.n_embd; start += size) {
        const own = (vector) => vector.slice(start, start + size);
        const scores = layer.keys.map((key) =>
          dot(own(query), own(key)) / Math.sqrt(size));
        const weights = noted("weights", softmax(noted("scores", scores)));
        const mix = (j) => dot(weights, layer.values.map((value) => value[j]));
        for (let j = start; j < start + size; j++) found.push(mix(j));
      }
      x = add(x, noted("mixed", linear(noted("found", found), layer.wo)));
      noted("attended", x);
      const hidden = linear(noted("normed_again", rmsnorm(x)), layer.fc1);
      const active = noted("hidden", hidden).map((n) => Math.max(0, n));
      x = add(x, noted("thought", linear(noted("active", active), layer.fc2)));
      noted("left", x);
    });
    note("probs", softmax(note("logits", linear(x, model.lm_head))));
  }
  return answer;
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, do: level, ...given } = JSON.parse(line);
  const answer = level === "forward" ? forward(given) : {};
  console.log(JSON.stringify({ id, ...answer }));
});

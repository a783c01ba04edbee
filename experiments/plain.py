"""The plain engine: one node per operation, ordered by recursion.

The yardstick, for `speed/` as well. It runs the published algorithm in the way
that is easiest to write: every `+` and `*` between two scalars makes a node,
`backward` finds the order of the nodes by a recursive depth-first search, and
Python's cycle collector is left to run. The graph of each step lives on until the
next one takes its place, because the published program's variables hold it. It
prints what build/microgpt.py prints, and it is slow: that is its job.

Usage: python experiments/plain.py NAMES [STEPS [SAMPLES [SIZES]]]
where SIZES are N_EMBD N_LAYER BLOCK_SIZE SEED N_HEAD, in this order.
"""

import math
import random
import sys


class Value:
    """A scalar that remembers what it was computed from."""

    __slots__ = ("_children", "_local_grads", "data", "grad")

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, power):
        slope = power * self.data ** (power - 1)
        return Value(self.data**power, (self,), (slope,))

    def log(self):
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def exp(self):
        result = math.exp(self.data)
        return Value(result, (self,), (result,))

    def relu(self):
        return Value(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other**-1

    def backward(self):
        order = []
        visited = set()

        def visit(value):
            if value not in visited:
                visited.add(value)
                for child in value._children:
                    visit(child)
                order.append(value)

        visit(self)
        self.grad = 1
        for value in reversed(order):
            pairs = zip(value._children, value._local_grads)
            for child, local_grad in pairs:
                child.grad += local_grad * value.grad


def linear(x, w):
    return [sum(wi * xi for wi, xi in zip(row, x)) for row in w]


def softmax(logits):
    largest = max(logit.data for logit in logits)
    exps = [(logit - largest).exp() for logit in logits]
    total = sum(exps)
    return [e / total for e in exps]


def rmsnorm(x):
    mean_square = sum(xi * xi for xi in x) / len(x)
    scale = (mean_square + 1e-5) ** -0.5
    return [xi * scale for xi in x]


class Plain:
    """The published program as an object: parameters, one step, one sample."""

    def __init__(self, docs, n_embd=16, n_head=4, n_layer=1, block_size=16, seed=42):
        self.random = random.Random(seed)
        self.docs = list(docs)
        self.random.shuffle(self.docs)
        self.chars = sorted(set("".join(self.docs)))
        self.bos = len(self.chars)
        self.n_head, self.n_layer, self.block_size = n_head, n_layer, block_size
        self.head_dim = n_embd // n_head
        self.weights = {
            "wte": self.matrix(self.bos + 1, n_embd),
            "wpe": self.matrix(block_size, n_embd),
            "lm_head": self.matrix(self.bos + 1, n_embd),
        }
        for i in range(n_layer):
            for name in ("attn_wq", "attn_wk", "attn_wv", "attn_wo"):
                self.weights[f"layer{i}.{name}"] = self.matrix(n_embd, n_embd)
            self.weights[f"layer{i}.mlp_fc1"] = self.matrix(4 * n_embd, n_embd)
            self.weights[f"layer{i}.mlp_fc2"] = self.matrix(n_embd, 4 * n_embd)
        self.params = [p for m in self.weights.values() for row in m for p in row]
        self.m = [0.0] * len(self.params)
        self.v = [0.0] * len(self.params)

    def matrix(self, rows, columns):
        gauss = self.random.gauss
        return [[Value(gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]

    def caches(self):
        return [[] for _ in range(self.n_layer)], [[] for _ in range(self.n_layer)]

    def gpt(self, token_id, pos_id, keys, values):
        weights, size = self.weights, self.head_dim
        embeddings = zip(weights["wte"][token_id], weights["wpe"][pos_id])
        x = rmsnorm([t + p for t, p in embeddings])
        for i in range(self.n_layer):
            residual = x
            x = rmsnorm(x)
            q = linear(x, weights[f"layer{i}.attn_wq"])
            keys[i].append(linear(x, weights[f"layer{i}.attn_wk"]))
            values[i].append(linear(x, weights[f"layer{i}.attn_wv"]))
            heads = []
            for start in range(0, len(q), size):
                part = slice(start, start + size)
                q_h = q[part]
                k_h = [k[part] for k in keys[i]]
                v_h = [v[part] for v in values[i]]
                scores = [
                    sum(q_h[j] * k[j] for j in range(size)) / size**0.5 for k in k_h
                ]
                attention = softmax(scores)
                heads.extend(
                    sum(attention[t] * v_h[t][j] for t in range(len(v_h)))
                    for j in range(size)
                )
            x = linear(heads, weights[f"layer{i}.attn_wo"])
            x = [a + b for a, b in zip(x, residual)]
            residual = x
            x = linear(rmsnorm(x), weights[f"layer{i}.mlp_fc1"])
            x = linear([xi.relu() for xi in x], weights[f"layer{i}.mlp_fc2"])
            x = [a + b for a, b in zip(x, residual)]
        return linear(x, weights["lm_head"])

    def loss(self, doc):
        tokens = [self.bos, *(self.chars.index(c) for c in doc), self.bos]
        n = min(self.block_size, len(tokens) - 1)
        keys, values = self.caches()
        losses = []
        for pos_id in range(n):
            logits = self.gpt(tokens[pos_id], pos_id, keys, values)
            losses.append(-softmax(logits)[tokens[pos_id + 1]].log())
        return (1 / n) * sum(losses)

    def step(self, step, steps):
        """Train on one document; return the loss before the update."""
        loss = self.loss(self.docs[step % len(self.docs)])
        self.last = loss  # as a variable of the published program does
        loss.backward()
        rate = 0.01 * (1 - step / steps)
        for i, p in enumerate(self.params):
            self.m[i] = 0.85 * self.m[i] + (1 - 0.85) * p.grad
            self.v[i] = 0.99 * self.v[i] + (1 - 0.99) * p.grad**2
            m_hat = self.m[i] / (1 - 0.85 ** (step + 1))
            v_hat = self.v[i] / (1 - 0.99 ** (step + 1))
            p.data -= rate * m_hat / (v_hat**0.5 + 1e-8)
            p.grad = 0
        return loss.data

    def sample(self, temperature=0.5):
        keys, values = self.caches()
        token_id, name = self.bos, []
        for pos_id in range(self.block_size):
            logits = self.gpt(token_id, pos_id, keys, values)
            probs = softmax([logit / temperature for logit in logits])
            weights = [p.data for p in probs]
            token_id = self.random.choices(range(self.bos + 1), weights=weights)[0]
            if token_id == self.bos:
                break
            name.append(self.chars[token_id])
        return "".join(name)


def main(
    path,
    steps=1000,
    samples=20,
    n_embd=16,
    n_layer=1,
    block_size=16,
    seed=42,
    n_head=4,
):
    with open(path, encoding="utf-8") as file:
        docs = [line.strip() for line in file.read().split("\n") if line.strip()]
    model = Plain(docs, n_embd, n_head, n_layer, block_size, seed)
    print(f"num docs: {len(docs)}")
    print(f"vocab size: {model.bos + 1}")
    print(f"num params: {len(model.params)}")
    for step in range(steps):
        loss = model.step(step, steps)
        print(f"step {step + 1:4d} / {steps:4d} | loss {loss:.4f}")
    print("\n--- inference (new, hallucinated names) ---")
    for i in range(samples):
        print(f"sample {i + 1:2d}: {model.sample()}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))

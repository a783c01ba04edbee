"""The model of one layer over lists of floats, its backward pass written by hand.

What remains when `Value` goes: the same losses as build/microgpt.py, with each slope
worked out on paper. It shows what the automatic way costs; ideas.py measures it.
"""

from __future__ import annotations

import math
from operator import add, mul

Vector = list[float]
Matrix = list[list[float]]


def linear(x: Vector, w: Matrix) -> Vector:
    return [sum(map(mul, row, x)) for row in w]


def linear_back(dy: Vector, x: Vector, w: Matrix, dw: Matrix) -> Vector:
    """Add to the slopes of w; return those of x."""
    dx = [0.0] * len(x)
    for i, g in enumerate(dy):
        if g:
            dw[i] = [d + g * xj for d, xj in zip(dw[i], x)]
            dx = [d + g * wj for d, wj in zip(dx, w[i])]
    return dx


def rmsnorm(x: Vector) -> tuple[Vector, float]:
    scale = (sum(map(mul, x, x)) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x], scale


def rmsnorm_back(dy: Vector, x: Vector, scale: float) -> Vector:
    shared = scale**3 * sum(map(mul, dy, x)) / len(x)
    return [scale * d - shared * xi for d, xi in zip(dy, x)]


def softmax(x: Vector) -> Vector:
    largest = max(x)
    powers = [math.exp(xi - largest) for xi in x]
    total = sum(powers)
    return [p / total for p in powers]


class ByHand:
    """The parameters of a model of one layer, as floats; one step of training."""

    def __init__(self, state_dict: dict[str, list], n_head: int) -> None:
        self.w = {
            name.replace("layer0.", ""): [[p.data for p in row] for row in matrix]
            for name, matrix in state_dict.items()
        }
        self.m, self.v = self.zeros(), self.zeros()
        self.n_head = n_head

    def zeros(self) -> dict[str, Matrix]:
        """Return matrices of zeros in the shapes of the parameters."""
        return {k: [[0.0] * len(row) for row in m] for k, m in self.w.items()}

    def forward(self, token: int, pos: int, keys: Matrix, values: Matrix) -> tuple:
        """Return all that the backward pass needs; the probabilities come last."""
        w = self.w
        e = list(map(add, w["wte"][token], w["wpe"][pos]))
        x0, scale0 = rmsnorm(e)
        n1, scale1 = rmsnorm(x0)
        q = linear(n1, w["attn_wq"])
        keys.append(linear(n1, w["attn_wk"]))
        values.append(linear(n1, w["attn_wv"]))
        size = len(q) // self.n_head
        found, looks = [], []
        for start in range(0, len(q), size):
            h = slice(start, start + size)
            scores = linear(q[h], [k[h] for k in keys])
            looks.append(softmax([s / size**0.5 for s in scores]))
            found += linear(looks[-1], list(zip(*[v[h] for v in values])))
        x1 = list(map(add, x0, linear(found, w["attn_wo"])))
        n2, scale2 = rmsnorm(x1)
        hidden = [max(0.0, h) for h in linear(n2, w["mlp_fc1"])]
        x2 = list(map(add, x1, linear(hidden, w["mlp_fc2"])))
        probs = softmax(linear(x2, w["lm_head"]))
        return (
            e,
            scale0,
            x0,
            scale1,
            n1,
            q,
            looks,
            found,
            x1,
            scale2,
            n2,
            hidden,
            x2,
            probs,
        )

    def backward(self, kept: tuple, dlogits: Vector, caches: tuple, dw: dict) -> Vector:
        """Add to the slopes dw of the parameters; return those of the embedding."""
        e, scale0, x0, scale1, n1, q, looks, found, x1, scale2, n2, hidden, x2, _ = kept
        w, (keys, values, dkeys, dvalues), pos = self.w, caches, len(looks[0]) - 1
        dx = linear_back(dlogits, x2, w["lm_head"], dw["lm_head"])
        dhidden = linear_back(dx, hidden, w["mlp_fc2"], dw["mlp_fc2"])
        dhidden = [d if h else 0.0 for d, h in zip(dhidden, hidden)]
        dn2 = linear_back(dhidden, n2, w["mlp_fc1"], dw["mlp_fc1"])
        dx = list(map(add, dx, rmsnorm_back(dn2, x1, scale2)))
        dfound = linear_back(dx, found, w["attn_wo"], dw["attn_wo"])
        size, dq = len(q) // self.n_head, []
        for start, look in zip(range(0, len(q), size), looks):
            h = slice(start, start + size)
            dlook = linear(dfound[h], [v[h] for v in values[: pos + 1]])
            mean = sum(map(mul, look, dlook))
            dscores = [p * (d - mean) / size**0.5 for p, d in zip(look, dlook)]
            dq += linear(dscores, list(zip(*[k[h] for k in keys[: pos + 1]])))
            for t, (p, d) in enumerate(zip(look, dscores)):
                dkeys[t][h] = [x + d * y for x, y in zip(dkeys[t][h], q[h])]
                dvalues[t][h] = [x + p * y for x, y in zip(dvalues[t][h], dfound[h])]
        dn1 = linear_back(dq, n1, w["attn_wq"], dw["attn_wq"])
        for d, name in ((dkeys[pos], "attn_wk"), (dvalues[pos], "attn_wv")):
            dn1 = list(map(add, dn1, linear_back(d, n1, w[name], dw[name])))
        dx = list(map(add, dx, rmsnorm_back(dn1, x0, scale1)))
        return rmsnorm_back(dx, e, scale0)

    def step(self, tokens: list[int], step: int, rate: float) -> float:
        """Train on one document; return the loss before the update."""
        n = min(len(self.w["wpe"]), len(tokens) - 1)
        keys, values, dw = [], [], self.zeros()
        kept = [self.forward(tokens[p], p, keys, values) for p in range(n)]
        loss = sum(-math.log(kept[p][-1][tokens[p + 1]]) for p in range(n)) / n
        dkeys, dvalues = ([[0.0] * len(k) for k in keys] for _ in range(2))
        for p in reversed(range(n)):
            dlogits = [prob / n for prob in kept[p][-1]]
            dlogits[tokens[p + 1]] -= 1 / n
            caches = keys, values, dkeys, dvalues
            de = self.backward(kept[p], dlogits, caches, dw)
            dw["wte"][tokens[p]] = list(map(add, dw["wte"][tokens[p]], de))
            dw["wpe"][p] = list(map(add, dw["wpe"][p], de))
        self.update(dw, step, rate)
        return loss

    def update(self, dw: dict[str, Matrix], step: int, rate: float) -> None:
        """Do one step of Adam."""
        rate, correction = rate / (1 - 0.85**step), 1 / (1 - 0.99**step)
        for name, matrix in self.w.items():
            for i, (row, slopes) in enumerate(zip(matrix, dw[name])):
                m = [0.85 * m + 0.15 * g for m, g in zip(self.m[name][i], slopes)]
                v = [0.99 * v + 0.01 * g * g for v, g in zip(self.v[name][i], slopes)]
                self.m[name][i], self.v[name][i] = m, v
                matrix[i] = [
                    p - rate * a / (math.sqrt(b * correction) + 1e-8)
                    for p, a, b in zip(row, m, v)
                ]

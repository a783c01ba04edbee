"""Right gradients: all 4,192 of a real step, against two independent calculations.

One is finite differences of a forward pass written here with plain floats. The other
is experiments/plain.py, which makes a value for every single operation.
"""

import math
import random
from operator import mul

import pytest

from experiments.plain import Plain

DOC = "emma"
STEP = 1e-5  # how far a parameter is moved to either side
TOLERANCE = {"rel": 1e-6, "abs": 1e-9}  # most slopes are between 1e-4 and 1


# The forward pass without a Value


def linear(x, w):
    return [sum(map(mul, row, x)) for row in w]


def softmax(x):
    powers = [math.exp(xi) for xi in x]
    total = sum(powers)
    return [p / total for p in powers]


def rmsnorm(x):
    scale = (sum(map(mul, x, x)) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def float_loss(weights, tokens, n_head=4):
    """The mean loss of one layer over tokens; weights hold lists of floats."""
    keys, values, losses = [], [], []
    for position, token in enumerate(tokens[:-1]):
        embedding = zip(weights["wte"][token], weights["wpe"][position])
        x = rmsnorm([t + p for t, p in embedding])
        y = rmsnorm(x)
        query = linear(y, weights["layer0.attn_wq"])
        keys.append(linear(y, weights["layer0.attn_wk"]))
        values.append(linear(y, weights["layer0.attn_wv"]))
        found, size = [], len(x) // n_head
        for head in (slice(i, i + size) for i in range(0, len(x), size)):
            scores = linear(query[head], [key[head] for key in keys])
            shares = softmax([score / math.sqrt(size) for score in scores])
            found += linear(shares, zip(*[value[head] for value in values]))
        x = [a + b for a, b in zip(x, linear(found, weights["layer0.attn_wo"]))]
        hidden = linear(rmsnorm(x), weights["layer0.mlp_fc1"])
        hidden = [max(0.0, h) for h in hidden]
        x = [a + b for a, b in zip(x, linear(hidden, weights["layer0.mlp_fc2"]))]
        probs = softmax(linear(x, weights["lm_head"]))
        losses.append(-math.log(probs[tokens[position + 1]]))
    return sum(losses) / len(losses)


class Case:
    """A model of the default sizes, its tokens for DOC, and the gradients."""

    def __init__(self, microgpt):
        tokenizer = microgpt.Tokenizer("abcdefghijklmnopqrstuvwxyz")
        model = microgpt.Model(tokenizer).randomize(random.Random(42))
        self.tokens = tokenizer.encode(DOC)
        loss = microgpt.mean_loss(self.tokens, model)
        loss.backward()
        self.loss = loss.data
        matrices = model.state_dict.items()
        self.weights = {k: [[p.data for p in row] for row in m] for k, m in matrices}
        self.grads = {k: [[p.grad for p in row] for row in m] for k, m in matrices}

    def untouched(self):
        """The matrices and rows that DOC does not look up."""
        rows = [("wte", row) for row in range(27) if row not in self.tokens]
        return rows + [("wpe", row) for row in range(len(self.tokens) - 1, 16)]

    def numeric_slopes(self, name, row):
        """The slopes against one row of a matrix, by central differences."""
        numbers, slopes = self.weights[name][row], []
        for i, number in enumerate(numbers):
            numbers[i] = number + STEP
            above = float_loss(self.weights, self.tokens)
            numbers[i] = number - STEP
            below = float_loss(self.weights, self.tokens)
            numbers[i] = number
            slopes.append((above - below) / (2 * STEP))
        return slopes


@pytest.fixture(scope="module")
def case(microgpt):
    return Case(microgpt)


def test_the_case_is_the_default_model(case):
    assert sum(len(row) for m in case.weights.values() for row in m) == 4192


def test_the_float_pass_gives_the_same_loss(case):
    assert float_loss(case.weights, case.tokens) == pytest.approx(case.loss, rel=1e-13)


def test_parameters_that_are_not_touched_have_slope_0(case):
    """The loss cannot depend on them: it stays as it is when they are no numbers."""
    rows = case.untouched()
    assert len(rows) == (27 - 4) + (16 - 5)
    weights = {name: list(matrix) for name, matrix in case.weights.items()}
    for name, row in rows:
        assert case.grads[name][row] == [0.0] * 16
        weights[name][row] = [math.nan] * 16
    assert float_loss(weights, case.tokens) == float_loss(case.weights, case.tokens)


MATRICES = {
    **{"wte": 27, "wpe": 16, "lm_head": 27},
    **{f"layer0.attn_w{kind}": 16 for kind in "qkvo"},
    **{"layer0.mlp_fc1": 64, "layer0.mlp_fc2": 16},
}


@pytest.mark.parametrize("name, rows", MATRICES.items())
def test_finite_differences_of_every_touched_parameter(case, name, rows):
    untouched = case.untouched()
    assert len(case.weights[name]) == rows
    for row in range(rows):
        if (name, row) not in untouched:
            expected = pytest.approx(case.numeric_slopes(name, row), **TOLERANCE)
            assert case.grads[name][row] == expected, f"row {row}"


def test_the_plain_engine_finds_the_same_gradients(case):
    plain = Plain(["abcdefghijklmnopqrstuvwxyz"])
    for name, matrix in plain.weights.items():
        for row, numbers in zip(matrix, case.weights[name]):
            for p, number in zip(row, numbers):
                p.data = number
    plain.loss(DOC).backward()
    for name, matrix in plain.weights.items():
        for row, grads in zip(matrix, case.grads[name]):
            expected = [p.grad for p in row]
            assert grads == pytest.approx(expected, rel=1e-12, abs=1e-15)

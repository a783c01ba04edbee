"""Exercises of part III, The model."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from types import ModuleType

from exercises.marking import (
    Mark,
    agree,
    exercise,
    get,
    near,
    plain_softmax,
    said_by,
)


@exercise(
    "softmax",
    '''
import math

def softmax(scores):
    """Return the probabilities of plain numbers, also of very large ones."""
    return scores
''',
)
def _softmax(names: dict, program: ModuleType) -> Iterator[Mark]:
    softmax = get(names, "softmax")
    cases = [
        ("three equal scores", [7.0, 7.0, 7.0]),
        ("log 4 and 0", [math.log(4), 0.0]),
        ("2, 1 and 0.5", [2.0, 1.0, 0.5]),
        ("negative scores", [-3.0, -1.0]),
        ("a single score", [5.0]),
    ]
    for what, scores in cases:
        yield near(what, softmax([*scores]), plain_softmax(program, scores))
    for what, scores in (
        ("1,000 and 999", [1000.0, 999.0]),
        ("-1,000 and -1,001", [-1000.0, -1001.0]),
    ):
        try:
            got = softmax([*scores])
        except (OverflowError, ZeroDivisionError) as error:
            came = f"{said_by(error)}: take the largest score off all of them first"
            yield Mark(False, what, came)
        else:
            yield near(what, got, plain_softmax(program, scores))


@exercise(
    "rmsnorm",
    '''
def rmsnorm(x):
    """Scale plain numbers so that the mean of their squares is 1."""
    return x
''',
)
def _rmsnorm(names: dict, program: ModuleType) -> Iterator[Mark]:
    norm = get(names, "rmsnorm")
    for what, x in (
        ("2, 4 and 6", [2.0, 4.0, 6.0]),
        ("ten times as much", [20.0, 40.0, 60.0]),
        ("numbers of both signs", [-1.0, 3.0, 0.5, -2.0]),
        ("zeros", [0.0, 0.0]),
        ("a small vector, where the ε is felt", [0.001, -0.002]),
    ):
        wanted = [y.data for y in program.rmsnorm([*map(program.Value, x)])]
        hint = ""
        try:
            got = norm([*x])
        except ZeroDivisionError:
            yield Mark(False, what, "a division by 0: the ε under the root prevents it")
            continue
        if isinstance(got, list) and len(got) == len(x) and any(x):
            mean = sum(x) / len(x)
            if agree(got, [value / math.sqrt(sum(v * v for v in x)) for value in x]):
                hint = "take the mean of the squares, not their sum"
            elif mean and agree(sum(got), 0.0) and not agree(sum(wanted), 0.0):
                hint = "the mean is not taken away, only the size"
        yield near(what, got, wanted, hint)


@exercise(
    "parameters",
    '''
def count(vocab_size, n_embd, n_layer, block_size):
    """Return the number of parameters of a model with these sizes."""
    return 0
''',
)
def _parameters(names: dict, program: ModuleType) -> Iterator[Mark]:
    count = get(names, "count")
    letters = "abcdefghijklmnopqrstuvwxyz"
    for what, chars, sizes in (
        ("the model of the book", letters, {}),
        ("n_embd = 32", letters, {"n_embd": 32}),
        ("two layers", letters, {"n_layer": 2}),
        ("block_size = 8", letters, {"block_size": 8}),
        ("three letters, n_embd = 4, 3 layers", "abc", {"n_embd": 4, "n_layer": 3}),
    ):
        model = program.Model(program.Tokenizer(chars), **sizes)
        wanted = sum(rows * columns for rows, columns in model.shapes().values())
        got = count(len(chars) + 1, model.n_embd, model.n_layer, model.block_size)
        hint = "wte and lm_head, wpe, and twelve squares of the width in each layer"
        yield near(what, got, wanted, hint)


@exercise(
    "attention",
    '''
import math

def weights(query, keys):
    """Return how much attention each key gets, for plain numbers."""
    return []
''',
)
def _attention(names: dict, program: ModuleType) -> Iterator[Mark]:
    weights = get(names, "weights")
    for what, query, keys in (
        ("a single position", [1.0, 2.0], [[0.5, -1.0]]),
        ("two equal keys", [1.0, 1.0], [[2.0, 0.0], [2.0, 0.0]]),
        ("three keys of two numbers", [0.0, 1.0], [[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]),
        ("keys of four numbers", [1.0, -1.0, 2.0, 0.5], [[1, 0, 1, 0], [0, 1, 0, 2]]),
    ):
        scores = [sum(q * k for q, k in zip(query, key)) for key in keys]
        wanted = plain_softmax(program, [score / len(query) ** 0.5 for score in scores])
        unscaled = plain_softmax(program, scores)
        slips = [
            ("divide each score by the root of the query's length", unscaled),
            ("these are the scores; softmax makes weights of them", scores),
        ]
        got = weights([*query], [[*key] for key in keys])
        yield near(what, got, wanted, slips=slips)


@exercise(
    "caches",
    '''
def cached(tokens, n_embd, n_layer):
    """Return how many numbers the caches hold after so many tokens."""
    return 0
''',
)
def _caches(names: dict, program: ModuleType) -> Iterator[Mark]:
    cached = get(names, "cached")
    for tokens, width, layers in ((5, 16, 1), (1, 16, 1), (3, 4, 2)):
        sizes = {"n_embd": width, "n_head": 2, "n_layer": layers}
        model = program.Model(program.Tokenizer("ab"), **sizes)
        model.randomize(random.Random(1))
        keys, values = model.caches()
        for position in range(tokens):
            program.gpt(0, position, keys, values, model)
        caches = [cache for layer in (*keys, *values) for cache in layer]
        wanted = sum(map(len, caches))
        what = f"{_count(tokens, 'token')}, width {width}, {_count(layers, 'layer')}"
        hint = "each layer keeps a key for every token"
        slips = [("and a value as well", wanted / 2)]
        yield near(what, cached(tokens, width, layers), wanted, hint, slips)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


@exercise(
    "layernorm",
    '''
def layernorm(x):
    """Move plain numbers so that their mean is 0, then scale them as RMSNorm does."""
    return x
''',
)
def _layernorm(names: dict, program: ModuleType) -> Iterator[Mark]:
    norm = get(names, "layernorm")

    def book_norm(numbers: list[float], mean: float) -> list[float]:
        moved = [program.Value(number - mean) for number in numbers]
        return [y.data for y in program.rmsnorm(moved)]

    for what, x in (
        ("2, 4 and 6", [2.0, 4.0, 6.0]),
        ("102, 104 and 106", [102.0, 104.0, 106.0]),
        ("numbers of both signs", [-1.0, 3.0, 0.5, -2.0]),
        ("equal numbers", [5.0, 5.0]),
        ("a small vector, where the ε is felt", [0.001, -0.002]),
    ):
        mean = sum(x) / len(x)
        slips = [
            ("take the mean away first", book_norm(x, 0.0)),
            ("the mean is gone; now divide", [xi - mean for xi in x]),
        ]
        hint = "subtract the mean; then divide by √(mean of the squares + 0.00001)"
        yield near(what, norm([*x]), book_norm(x, mean), hint, slips)

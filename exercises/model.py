"""Exercises of part III, The model."""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import ModuleType

from exercises.marking import (
    Mark,
    exercise,
    get,
    near,
)


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
    "cache-size",
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

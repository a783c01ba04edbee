"""What the rows of wte have become: which letters are alike, and a map of them."""

from __future__ import annotations

import math
import statistics
from itertools import combinations
from pathlib import Path

from experiments.lists import SEED
from experiments.programs import BOOK
from experiments.trials import rounded, trained

VOWELS = "aeiou"


def likeness(which: str, seed: int, document: Path = BOOK) -> dict:
    """Return how alike vowels and consonants are, before and after 1,000 steps."""
    before, after = (rows_of_letters(which, seed, n, document) for n in (0, 1000))
    return {"start": compare(before), "end": compare(after)}


def plane(which: str, document: Path = BOOK) -> dict:
    """Return the trained rows of wte, BOS among them, seen along two principal axes."""
    rows = rows_of_letters(which, SEED, 1000, document)
    axes, shares = principal_axes([*rows.values()])
    places = zip(rows, seen_along(axes, [*rows.values()]))
    return {
        "shares": [rounded(share) for share in shares],
        "places": {name: [rounded(x, 3) for x in place] for name, place in places},
    }


def rows_of_letters(
    which: str, seed: int, steps: int, document: Path = BOOK
) -> dict[str, list[float]]:
    """Return each token's row of wte after some steps, with names dealt by a seed."""
    _, model = trained(which, steps, document, seed)
    names = [*model.tokenizer.chars, "BOS"]
    rows = [[p.data for p in row] for row in model.state_dict["wte"]]
    return dict(zip(names, rows, strict=True))


def compare(rows: dict[str, list[float]]) -> dict:
    """Return mean cosines, and how many vowels have a vowel as nearest letter.

    `at one end` is how many of the five letters that lie farthest out on one side of
    the first principal axis are vowels.
    """
    letters = {name: row for name, row in rows.items() if name != "BOS"}
    found = {"vowel to vowel": [], "vowel to consonant": []}
    found |= {"consonant to consonant": []}
    for (a, x), (b, y) in combinations(letters.items(), 2):
        kinds = sorted("vowel" if c in VOWELS else "consonant" for c in (a, b))
        found[" to ".join(reversed(kinds))].append(cosine(x, y))
    axes, _ = principal_axes([*rows.values()])
    order = sorted(letters, key=lambda name: dot(axes[0], letters[name]))
    return {
        **{name: rounded(statistics.fmean(all_)) for name, all_ in found.items()},
        "beside a vowel": sum(nearest(v, letters) in VOWELS for v in VOWELS),
        "at one end": max(
            sum(name in VOWELS for name in end) for end in (order[:5], order[-5:])
        ),
    }


def nearest(name: str, rows: dict[str, list[float]]) -> str:
    """Return the letter whose row points most nearly where that of name does."""
    others = (other for other in rows if other != name)
    return max(others, key=lambda other: cosine(rows[name], rows[other]))


def principal_axes(rows: list[list[float]], count: int = 2) -> tuple[list, list[float]]:
    """Return the directions in which rows spread most, and the shares of their spread.

    Power iteration: hand any direction through the rows again and again, and it turns
    to the one in which they spread most. Take that out of the rows for the next one.
    """
    rows = centred(rows)
    total = sum(dot(row, row) for row in rows)
    axes, shares = [], []
    for _ in range(count):
        axis = unit([1.0] * len(rows[0]))
        for _ in range(1000):
            seen = [dot(row, axis) for row in rows]
            axis = unit([dot(seen, column) for column in zip(*rows)])
        seen = [dot(row, axis) for row in rows]
        axes.append(axis)
        shares.append(dot(seen, seen) / total)
        rows = [[x - s * a for x, a in zip(row, axis)] for row, s in zip(rows, seen)]
    return axes, shares


def seen_along(axes: list, rows: list[list[float]]) -> list[list[float]]:
    """Return where each row lies along each axis, seen from the middle of all."""
    return [[dot(row, axis) for axis in axes] for row in centred(rows)]


def centred(rows: list[list[float]]) -> list[list[float]]:
    """Return rows with their mean taken away."""
    means = [statistics.fmean(column) for column in zip(*rows)]
    return [[x - mean for x, mean in zip(row, means)] for row in rows]


def unit(x: list[float]) -> list[float]:
    """Return a vector of length 1 in the same direction."""
    return [xi / math.sqrt(dot(x, x)) for xi in x]


def cosine(x: list[float], y: list[float]) -> float:
    """Return 1 for vectors in one direction, 0 at a right angle, -1 for opposite."""
    return dot(unit(x), unit(y))


def dot(x: list[float], y: list[float]) -> float:
    """Return the sum of the products."""
    return sum(a * b for a, b in zip(x, y))

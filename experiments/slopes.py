"""What the slopes of the wrong programs are like, and whether nudging finds them out.

The programs make the same forward pass, so they are compared at the same parameters:
those that the right program has after some steps.
"""

from __future__ import annotations

import math
import random
import statistics
from pathlib import Path
from types import ModuleType

from experiments.letters import cosine
from experiments.lists import SEED, split
from experiments.measures import sampled
from experiments.programs import BOOK
from experiments.trials import TRIALS, rounded, start, trained
from labs.gradients import check
from labs.gradients.mutants import MUTANTS

PROGRAMS = ("baseline", *MUTANTS)
NAMES = 100  # that are looked at
DIRECTIONS = 10  # for each of them
TOLERANCES = ("0.01", "0.0001", "0.000001")
NUDGES = range(1, 13)  # a nudge is 10 to the power of minus one of these


def made_up(which: str, trial: str, document: Path = BOOK) -> list[str]:
    """Return five names that a program makes up after 1,000 steps."""
    return sampled(*trained(which, 1000, document, trial=trial), 0.5, 5)


def at(trial: str, which: str, steps: int, document: Path):
    """Return a program, and the model that the right one has after some steps."""
    microgpt, model = start(TRIALS[trial], which, SEED, document)
    right = trained(which, steps, document)[1]
    for p, q in zip(model.params(), right.params(), strict=True):
        p.data = q.data
    return microgpt, model


def names(which: str, document: Path) -> list[str]:
    """Return the names that are looked at: the first that are trained on."""
    return split(which, 1000, document)[0][:NAMES]


def slopes(trial: str, which: str, steps: int, document: Path) -> list[list[float]]:
    """Return the slopes that a program finds for each of the names."""
    microgpt, model = at(trial, which, steps, document)
    encode = model.tokenizer.encode
    return [
        check.slopes(microgpt, model, encode(doc)) for doc in names(which, document)
    ]


def agreement(which: str, steps: int, document: Path = BOOK) -> dict:
    """Return how the slopes of each matrix agree with the right ones.

    `cosine` is the mean over the names, and 1 where the slopes point the same way;
    `sign` is the share of slopes that have the right sign, of those that are not 0;
    `size` compares the lengths of all of them.
    """
    right = slopes("baseline", which, steps, document)
    matrices = check.places(trained(which, steps, document)[1])
    found = {}
    for name in MUTANTS:
        wrong = slopes(name, which, steps, document)
        found[name] = {
            matrix: compared(
                [each[part] for each in right], [each[part] for each in wrong]
            )
            for matrix, part in {**matrices, "all": slice(None)}.items()
        }
    return found


def compared(right: list[list[float]], wrong: list[list[float]]) -> dict[str, float]:
    """Compare slopes of some parameters, a list for each name."""
    pairs = [(a, b) for x, y in zip(right, wrong) for a, b in zip(x, y) if a or b]
    lengths = [math.sqrt(sum(x * x for x in each)) for each in zip(*pairs)]
    return {
        "cosine": rounded(statistics.fmean(map(cosine, right, wrong))),
        "sign": rounded(sum(a * b > 0 for a, b in pairs) / len(pairs)),
        "size": rounded(lengths[1] / lengths[0]),
    }


def directions(which: str, steps: int, document: Path = BOOK) -> dict:
    """Compare slopes along random directions with what nudging finds.

    For each program `show` has the first five ratios, and `within` tells in which share
    of all directions the ratio is 1 to a tolerance.
    """
    all_slopes = {name: slopes(name, which, steps, document) for name in PROGRAMS}
    microgpt, model = trained(which, steps, document)
    rng, ratios = random.Random(SEED), {name: [] for name in PROGRAMS}
    for i, doc in enumerate(names(which, document)):
        tokens = model.tokenizer.encode(doc)
        for _ in range(DIRECTIONS):
            direction = check.random_direction(model, rng)
            change = check.found(microgpt, model, tokens, direction)
            for name in PROGRAMS:
                said = check.expected(all_slopes[name][i], direction)
                ratios[name].append(said / change)
    return {
        name: {
            "show": [rounded(ratio) for ratio in each[::DIRECTIONS][:5]],
            "within": {
                tolerance: sum(abs(r - 1) < float(tolerance) for r in each) / len(each)
                for tolerance in TOLERANCES
            },
        }
        for name, each in ratios.items()
    }


def nudges(which: str, document: Path = BOOK) -> dict:
    """Return by which part nudging is off for each nudge: the median over the names.

    The program has not learned anything yet.
    """
    found = {}
    for trial, label in (("baseline", "program"), ("no MLP", "no MLP")):
        microgpt, model = start(TRIALS[trial], which, SEED, document)
        offs = [
            off(microgpt, model, doc, random.Random(i))
            for i, doc in enumerate(names(which, document))
        ]
        for way in ("both ways", "one way"):
            medians = [statistics.median(x) for x in zip(*(each[way] for each in offs))]
            found[f"{label}, {way}"] = [float(f"{m:.1e}") for m in medians]
    return found


def off(microgpt: ModuleType, model, doc: str, rng: random.Random) -> dict:
    """Return by which part each nudge is off, along a random direction."""
    tokens = model.tokenizer.encode(doc)
    direction = check.random_direction(model, rng)
    said = check.expected(check.slopes(microgpt, model, tokens), direction)
    here = check.loss_at(microgpt, model, tokens, direction, 0.0)
    parts = {"both ways": [], "one way": []}
    for power in NUDGES:
        step = 10.0**-power
        both = check.found(microgpt, model, tokens, direction, step)
        ahead = check.loss_at(microgpt, model, tokens, direction, step)
        parts["both ways"].append(abs(both / said - 1))
        parts["one way"].append(abs((ahead - here) / step / said - 1))
    return parts

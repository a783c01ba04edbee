"""The gradients lab: which of two programs in training has wrong slopes?

One is the book's own, the other a mutant. They are called A and B, and chance deals the
names. The race that goes on is the module's only state.
"""

from __future__ import annotations

import random

import microgpt

from labs.ablation.changes import RATE
from labs.gradients import check as judge
from labs.gradients.mutants import MUTANTS
from labs.shared import book
from labs.shared.races import Course, Race
from labs.shared.start import SEED

STEPS = 1000
SAMPLES = 10
DIRECTIONS = 5
TOLERANCE = 1e-3  # how far the ratio of right slopes may be from 1
ROUNDING = 1e-8  # how far nudging may be off where the loss hardly changes


def mutants() -> list[dict]:
    """Return the mutants that there are: `name` and `words`."""
    return [{"name": name, "words": m.words} for name, m in MUTANTS.items()]


def _race_of(mutant: str, wrong: str) -> Race:
    """Return a race that begins: the program, and a mutant that is called `wrong`."""
    programs = {name: (microgpt, RATE) for name in "AB"}
    programs[wrong] = book.variant(MUTANTS[mutant].variant), RATE
    return Race(programs, SEED, STEPS, (mutant, wrong))


_now = Course(_race_of)


def begin(mutant: str = "", deal: int | None = None) -> dict:
    """Begin a race of the program with a mutant, without a name with any.

    `deal` says how chance decides; without it nobody knows. Returns what `status` does,
    and `done`, so that a page can run it like a step.
    """
    rng = random.Random(deal)
    wrong = rng.choice("AB")
    return _now.begin(mutant or rng.choice([*MUTANTS]), wrong)


def step(until: int | None = None) -> dict:
    """Let both programs do one step; return their `losses`, A's first.

    The rest is as in `Race.step`.
    """
    return _now.race.step(until)


def samples() -> dict[str, list[str]]:
    """Return names that each program would print if it stopped now."""
    return {name: run.samples(SAMPLES) for name, run in _now.race.runs.items()}


def check(seed: int | None = None) -> dict:
    """Compare what the slopes of both programs say with what their losses do.

    `doc` is the document that comes next. `along` has a list for each program: random
    directions of all parameters, then of those of one matrix each. An entry has its
    `name`; `said`, how fast the loss changes there by the slopes; `found`, how fast it
    does by nudging both ways; the `ratio` of the two; and whether that `holds`. `wrong`
    is A or B, `mutant` the name of what is wrong with it, `words` say it.
    """
    race = _now.race
    seed = random.randrange(2**32) if seed is None else seed
    mutant, wrong = race.options
    doc = race.runs["A"].doc(race.done)
    return {
        "doc": doc,
        "along": {name: _along(run, doc, seed) for name, run in race.runs.items()},
        "wrong": wrong,
        "mutant": mutant,
        "words": MUTANTS[mutant].words,
    }


def _along(run, doc: str, seed: int) -> list[dict]:
    """Return the entries of a program, see `check`; a seed gives the directions."""
    program, model, rng = run.program, run.model, random.Random(seed)
    tokens = model.tokenizer.encode(doc)
    slopes = judge.slopes(program, model, tokens)
    parts = {f"direction {i + 1}": slice(None) for i in range(DIRECTIONS)}
    entries = []
    for name, part in (parts | judge.places(model)).items():
        direction = judge.random_direction(model, rng, part)
        said = judge.expected(slopes, direction)
        found = judge.found(program, model, tokens, direction)
        holds = abs(said - found) <= TOLERANCE * abs(found) + ROUNDING
        told = {"said": said, "found": found, "ratio": said / found, "holds": holds}
        entries.append({"name": name, **told})
    return entries


def status() -> dict | None:
    """Return the present race, None if there is none.

    See `Race.status`; A is the first.
    """
    return _now.status()


def save() -> tuple | None:
    """Return what another worker needs to go on as if nothing had happened."""
    return _now.save()


def restore(kept: tuple) -> None:
    """Go on from what `save` returned."""
    _now.restore(kept)

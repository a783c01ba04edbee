"""The gradients lab: which of two programs in training has wrong slopes?

One is the book's own, the other a mutant. They are called A and B, and chance deals the
names. The race that goes on is the module's only state.
"""

from __future__ import annotations

import math
import random

import microgpt

from labs import LabError
from labs.ablation.changes import RATE
from labs.gradients import check as judge
from labs.gradients.mutants import MUTANTS
from labs.shared import book
from labs.shared.races import Race
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


_now: list[Race] = []  # the race that goes on, once there is one


def begin(mutant: str = "", deal: int | None = None) -> dict:
    """Begin a race of the program with a mutant, without a name with any.

    `deal` says how chance decides; without it nobody knows. Returns what `status` does,
    and `done`, so that a page can run it like a step.
    """
    rng = random.Random(deal)
    wrong = rng.choice("AB")
    _now[:] = [_race_of(mutant or rng.choice([*MUTANTS]), wrong)]
    return {**status(), "done": True}


def step(until: int | None = None) -> dict:
    """Let both programs do one step; return their `losses`, A's first.

    `step` and `steps` count; `done` is true after step `until` and after the last one;
    `trouble` names those that have broken down.
    """
    race = _race()
    if race.done == race.steps:
        raise LabError(f"All {race.steps:,} steps are done. Begin again.")
    return {
        "losses": race.step(),
        "step": race.done,
        "steps": race.steps,
        "done": race.done == race.steps or (until is not None and race.done >= until),
        "trouble": race.trouble,
    }


def samples() -> dict[str, list[str]]:
    """Return names that each program would print if it stopped now."""
    return {name: run.samples(SAMPLES) for name, run in _race().runs.items()}


def check(seed: int | None = None) -> dict:
    """Compare what the slopes of both programs say with what their losses do.

    `doc` is the document that comes next. `along` has a list for each program: random
    directions of all parameters, then of those of one matrix each. An entry has its
    `name`; `said`, how fast the loss changes there by the slopes; `found`, how fast it
    does by nudging both ways; the `ratio` of the two; and whether that `holds`. `wrong`
    is A or B, `mutant` the name of what is wrong with it, `words` say it.
    """
    race = _race()
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

    `losses` has those of A and those of B; `step`, `steps` and `trouble` are as in
    `step`; `uniform` is the loss of blind guessing.
    """
    if not _now:
        return None
    race = _now[0]
    return {
        "losses": race.losses,
        "step": race.done,
        "steps": race.steps,
        "trouble": race.trouble,
        "uniform": math.log(race.runs["A"].model.tokenizer.vocab_size),
    }


def save() -> tuple | None:
    """Return what another worker needs to go on as if nothing had happened."""
    return _now[0].keep() if _now else None


def restore(kept: tuple) -> None:
    """Go on from what `save` returned."""
    options, kept_runs = kept
    _now[:] = [_race_of(*options)]
    _now[0].go_on(kept_runs)


def _race() -> Race:
    if not _now:
        raise LabError("Nothing has begun yet.")
    return _now[0]

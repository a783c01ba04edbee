"""The ablation lab: variants of the program train side by side with the intact one.

Each variant is the book's own, tangled by the book's own tangler and loaded as a module
of its own. All begin with the same seed, so with the same parameters, and see the same
names in the same order. The race that goes on is the module's only state.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import microgpt

from labs import LabError
from labs.ablation.changes import CHANGES, RATE
from labs.shared import book
from labs.shared.races import Course, Race
from labs.shared.start import SEED

INTACT = "intact"
MOST = 3  # variants at a time
MOST_STEPS = 5000
RECENT = 100  # steps that are compared at the end
SAMPLES = 10


def changes() -> list[dict]:
    """Return what can be changed: `name` and `words`, in the book's order."""
    return [{"name": name, "words": c.words} for name, c in CHANGES.items()]


def _race_of(chosen: list[str], seed: int, steps: int) -> Race:
    """Return a race that begins: the intact program and some changed ones."""
    programs = {INTACT: (microgpt, RATE)}
    for name in chosen:
        change = CHANGES[name]
        programs[name] = book.variant(change.variant), change.learning_rate
    return Race(programs, seed, steps, (chosen, seed, steps))


_now = Course(_race_of)


def begin(chosen: list[str], seed: int = SEED, steps: int = 1000) -> dict:
    """Begin a race of the intact program with those that have one thing changed.

    Returns what `status` does, and `done`, so that a page can run it like a step.
    Raises LabError if the choice is empty, too large or unknown.
    """
    unknown = [name for name in chosen if name not in CHANGES]
    if unknown:
        raise LabError(f"The book has no variant called {unknown[0]}.")
    if not 1 <= len(set(chosen)) == len(chosen) <= MOST:
        raise LabError(f"Choose one thing to change, or up to {MOST}.")
    if not 1 <= steps <= MOST_STEPS:
        raise LabError(f"The steps must be from 1 to {MOST_STEPS:,}.")
    return _now.begin(chosen, seed, steps)


def step(until: int | None = None) -> dict:
    """Let each program do one step; return `losses`, the intact program's first.

    The rest is as in `Race.step`.
    """
    return _now.race.step(until)


def compare() -> dict:
    """Compare the programs over the last steps: `recent` of them at most.

    `programs` has, for each that has not broken down, its `name`; the `mean` of its
    losses; the `gap`, by how much they are greater than those of the intact program at
    the same steps, on the mean; and the standard `error` of this gap, by the scatter of
    the steps alone. `samples` has names that each would print if it stopped now.
    """
    race = _now.race
    found = {"recent": min(RECENT, race.done), "programs": [], "samples": []}
    for name, run in race.runs.items() if race.done else ():
        made = [] if run.has_diverged else run.samples(SAMPLES)
        found["samples"].append({"name": name, "names": made})
        if not run.has_diverged:
            compared = _compare(
                run.losses[-RECENT:], race.runs[INTACT].losses[-RECENT:]
            )
            found["programs"].append({"name": name, **compared})
    return found


def status() -> dict | None:
    """Return the present race, None if there is none.

    See `Race.status`; the intact program is the first.
    """
    return _now.status()


def save() -> tuple | None:
    """Return what another worker needs to go on as if nothing had happened."""
    return _now.save()


def restore(kept: tuple) -> None:
    """Go on from what `save` returned."""
    _now.restore(kept)


def _compare(losses: Sequence[float], intact: Sequence[float]) -> dict[str, float]:
    """Compare losses with those of the intact program at the same steps."""
    gaps = [mine - other for mine, other in zip(losses, intact)]
    spread = statistics.stdev(gaps) if len(gaps) > 1 else 0.0
    return {
        "mean": statistics.fmean(losses),
        "gap": statistics.fmean(gaps),
        "error": spread / math.sqrt(len(gaps)),
    }

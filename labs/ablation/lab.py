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
from labs.shared.races import Race
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


_now: list[Race] = []  # the race that goes on, once there is one


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
    _now[:] = [_race_of(chosen, seed, steps)]
    return {**status(), "done": True}


def step(until: int | None = None) -> dict:
    """Let each program do one step; return `losses`, the intact program's first.

    The loss of a program whose numbers have gone off to infinity is null. `step` and
    `steps` count; `done` is true after step `until` and after the last one; `trouble`
    names those that have broken down, and is "" as long as there are none.
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


def compare() -> dict:
    """Compare the programs over the last steps: `recent` of them at most.

    `programs` has, for each that has not broken down, its `name`; the `mean` of its
    losses; the `gap`, by how much they are greater than those of the intact program at
    the same steps, on the mean; and the standard `error` of this gap, by the scatter of
    the steps alone. `samples` has names that each would print if it stopped now.
    """
    race = _race()
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

    `names` are the programs, `losses` a list for each of them; `step`, `steps` and
    `trouble` are as in `step`; `uniform` is the loss of blind guessing.
    """
    if not _now:
        return None
    race = _now[0]
    vocab_size = race.runs[INTACT].model.tokenizer.vocab_size
    return {
        "names": [*race.runs],
        "losses": race.losses,
        "step": race.done,
        "steps": race.steps,
        "trouble": race.trouble,
        "uniform": math.log(vocab_size),
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


def _compare(losses: Sequence[float], intact: Sequence[float]) -> dict[str, float]:
    """Compare losses with those of the intact program at the same steps."""
    gaps = [mine - other for mine, other in zip(losses, intact)]
    spread = statistics.stdev(gaps) if len(gaps) > 1 else 0.0
    return {
        "mean": statistics.fmean(losses),
        "gap": statistics.fmean(gaps),
        "error": spread / math.sqrt(len(gaps)),
    }

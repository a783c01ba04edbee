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
from labs.shared import book, models, runs
from labs.shared.start import SEED, start

INTACT = "intact"
MOST = 3  # variants at a time
MOST_STEPS = 5000
RECENT = 100  # steps that are compared at the end
SAMPLES = 10


def changes() -> list[dict]:
    """Return what can be changed: `name` and `words`, in the book's order."""
    return [{"name": name, "words": c.words} for name, c in CHANGES.items()]


class Race:
    """The intact program and some changed ones, in training."""

    def __init__(self, chosen: list[str], seed: int, steps: int) -> None:
        self.options = (chosen, seed, steps)
        self.runs: dict[str, runs.Run] = {}
        for name in (INTACT, *chosen):
            program, rate = microgpt, RATE
            if name != INTACT:
                change = CHANGES[name]
                program, rate = book.variant(change.variant), change.learning_rate
            docs, model, rng = start(program, models.names(), seed)
            self.runs[name] = runs.Run(program, model, docs, steps, rate, rng)

    @property
    def done(self) -> int:
        """How many steps are done."""
        return self.runs[INTACT].done

    @property
    def trouble(self) -> str:
        """Which programs have broken down, and when; "" if none has."""
        told = [
            f"{name} broke down at step {run.done:,}: its numbers went off to infinity."
            for name, run in self.runs.items()
            if run.has_diverged
        ]
        return " ".join(told)

    def keep(self) -> tuple:
        """Return what `go_on` needs."""
        return self.options, [run.keep() for run in self.runs.values()]

    @classmethod
    def go_on(cls, options: tuple, kept: list[tuple]) -> Race:
        """Return the race as it was when it was kept."""
        race = cls(*options)
        for run, own in zip(race.runs.values(), kept):
            run.go_on(own)
        return race


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
    _now[:] = [Race(chosen, seed, steps)]
    return {**status(), "done": True}


def step(until: int | None = None) -> dict:
    """Let each program do one step; return `losses`, the intact program's first.

    The loss of a program whose numbers have gone off to infinity is null. `step` and
    `steps` count; `done` is true after step `until` and after the last one; `trouble`
    names those that have broken down, and is "" as long as there are none.
    """
    race = _race()
    steps = race.options[2]
    if race.done == steps:
        raise LabError(f"All {steps:,} steps are done. Begin again.")
    losses = [_step(run) for run in race.runs.values()]
    return {
        "step": race.done,
        "steps": steps,
        "losses": losses,
        "done": race.done == steps or (until is not None and race.done >= until),
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
        "losses": [[*run.losses] for run in race.runs.values()],
        "step": race.done,
        "steps": race.options[2],
        "trouble": race.trouble,
        "uniform": math.log(vocab_size),
    }


def save() -> tuple | None:
    """Return what another worker needs to go on as if nothing had happened."""
    return _now[0].keep() if _now else None


def restore(kept: tuple) -> None:
    """Go on from what `save` returned."""
    _now[:] = [Race.go_on(*kept)]


def _race() -> Race:
    if not _now:
        raise LabError("Nothing has begun yet.")
    return _now[0]


def _step(run: runs.Run) -> float | None:
    """Let a program do a step; return the loss, None if it has broken down."""
    if not run.has_diverged:
        run.step()
    return None if run.has_diverged else run.losses[-1]


def _compare(losses: Sequence[float], intact: Sequence[float]) -> dict[str, float]:
    """Compare losses with those of the intact program at the same steps."""
    gaps = [mine - other for mine, other in zip(losses, intact)]
    spread = statistics.stdev(gaps) if len(gaps) > 1 else 0.0
    return {
        "mean": statistics.fmean(losses),
        "gap": statistics.fmean(gaps),
        "error": spread / math.sqrt(len(gaps)),
    }

"""The ablation lab: variants of the program train side by side with the intact one.

Each variant is the book's own, tangled by the book's own tangler and loaded as a module
of its own. All begin with the same seed, so with the same parameters, and see the same
names in the same order. The race that goes on is the module's only state.
"""

from __future__ import annotations

import math
import pickle
import statistics

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
        self.broken: dict[str, int] = {}  # names of those that diverged, and when
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

    def step(self) -> list[float | None]:
        """Let each program do one step; return the losses, None of one that broke."""
        return [self._step_of(name) for name in self.runs]

    def samples(self) -> list[dict]:
        """Return names that each program makes up, as it would print them now."""
        return [
            {"name": name, "names": [] if name in self.broken else run.samples(SAMPLES)}
            for name, run in self.runs.items()
        ]

    def comparison(self) -> list[dict]:
        """Return how each program did in the last steps, see the module's `compare`."""
        intact = self.runs[INTACT].losses[-RECENT:]
        found = []
        for name, run in self.runs.items():
            if name in self.broken:
                continue
            recent = run.losses[-RECENT:]
            gaps = [mine - other for mine, other in zip(recent, intact)]
            spread = statistics.stdev(gaps) if len(gaps) > 1 else 0.0
            found.append(
                {
                    "name": name,
                    "mean": statistics.fmean(recent),
                    "gap": statistics.fmean(gaps),
                    "error": spread / math.sqrt(len(gaps)),
                }
            )
        return found

    def keep(self) -> bytes:
        """Return what `go_on` needs."""
        kept = [run.keep() for run in self.runs.values()]
        return pickle.dumps((self.options, self.broken, kept))

    @classmethod
    def go_on(cls, kept: bytes) -> Race:
        """Return the race as it was when it was kept."""
        options, broken, parts = pickle.loads(kept)
        race = cls(*options)
        race.broken = broken
        for run, part in zip(race.runs.values(), parts):
            run.go_on(part)
        return race

    def _step_of(self, name: str) -> float | None:
        if name in self.broken:
            return None
        run = self.runs[name]
        try:
            return run.step()
        except runs.DivergedError:
            self.broken[name] = run.done
            return None


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
    losses = race.step()
    return {
        "step": race.done,
        "steps": steps,
        "losses": losses,
        "done": race.done == steps or (until is not None and race.done >= until),
        "trouble": _trouble(race),
    }


def compare() -> dict:
    """Compare the programs over the last steps: `recent` of them at most.

    `programs` has, for each that has not broken down, its `name`; the `mean` of its
    losses; the `gap`, by how much they are greater than those of the intact program at
    the same steps, on the mean; and the standard `error` of this gap, by the scatter of
    the steps alone. `samples` has names that each would print if it stopped now.
    """
    race = _race()
    programs = race.comparison() if race.done else []
    return {
        "recent": min(RECENT, race.done),
        "programs": programs,
        "samples": race.samples() if race.done else [],
    }


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
        "trouble": _trouble(race),
        "uniform": math.log(vocab_size),
    }


def save() -> bytes:
    """Return what another worker needs to go on as if nothing had happened."""
    return _now[0].keep() if _now else b""


def restore(kept: bytes) -> None:
    """Go on from what `save` returned."""
    _now[:] = [Race.go_on(kept)]


def _race() -> Race:
    if not _now:
        raise LabError("Nothing has begun yet.")
    return _now[0]


def _trouble(race: Race) -> str:
    told = [
        f"{name} broke down at step {step:,}: its numbers went off to infinity."
        for name, step in race.broken.items()
    ]
    return " ".join(told)

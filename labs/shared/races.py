"""Programs that train side by side, from the same start, on the same documents."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType

from labs import LabError
from labs.shared import models, runs
from labs.shared.start import start


class Race:
    """Programs in training, a step of each at a time; `options` is what began it."""

    def __init__(
        self,
        programs: dict[str, tuple[ModuleType, float]],
        seed: int,
        steps: int,
        options: tuple,
    ) -> None:
        """Prepare the training of each program, given by name, with its rate."""
        self.steps, self.options = steps, options
        self.runs: dict[str, runs.Run] = {}
        for name, (program, rate) in programs.items():
            docs, model, rng = start(program, models.names(), seed)
            self.runs[name] = runs.Run(program, model, docs, steps, rate, rng)

    @property
    def done(self) -> int:
        """How many steps are done."""
        return next(iter(self.runs.values())).done

    @property
    def trouble(self) -> str:
        """Which programs have broken down, and when; "" if none has."""
        told = [
            f"{name} broke down at step {run.done:,}: its numbers went off to infinity."
            for name, run in self.runs.items()
            if run.has_diverged
        ]
        return " ".join(told)

    @property
    def losses(self) -> list[list[float]]:
        """The losses so far, a list for each program."""
        return [[*run.losses] for run in self.runs.values()]

    def step(self, until: int | None = None) -> dict:
        """Let each program do one step; return their `losses`, in the programs' order.

        The loss of a program whose numbers have gone off to infinity is None. `step`
        and `steps` count; `done` is true after step `until` and after the last one;
        `trouble` is as in the race. Raises LabError after the last step.
        """
        if self.done == self.steps:
            raise LabError(f"All {self.steps:,} steps are done. Begin again.")
        for run in self.runs.values():
            if not run.has_diverged:
                run.step()
        return {
            "losses": [
                None if run.has_diverged else run.losses[-1]
                for run in self.runs.values()
            ],
            "step": self.done,
            "steps": self.steps,
            "done": self.done == self.steps
            or (until is not None and self.done >= until),
            "trouble": self.trouble,
        }

    def status(self) -> dict:
        """Return the `names` of the programs, and a list of `losses` for each of them.

        `step`, `steps` and `trouble` are as in `step`; `uniform` is the loss of blind
        guessing.
        """
        first = next(iter(self.runs.values()))
        return {
            "names": [*self.runs],
            "losses": self.losses,
            "step": self.done,
            "steps": self.steps,
            "trouble": self.trouble,
            "uniform": math.log(first.model.tokenizer.vocab_size),
        }

    def keep(self) -> tuple:
        """Return what is needed to go on in another worker: options, and the runs."""
        return self.options, [run.keep() for run in self.runs.values()]

    def go_on(self, kept: list[tuple]) -> None:
        """Let each program go on from where it was kept."""
        for run, own in zip(self.runs.values(), kept, strict=True):
            run.go_on(own)


class Course:
    """The race that goes on in a lab, once there is one."""

    def __init__(self, race_of: Callable[..., Race]) -> None:
        """Let `race_of` make the races, of options that it keeps in them."""
        self.race_of = race_of
        self._race: Race | None = None

    @property
    def race(self) -> Race:
        """The race; raises LabError if there is none."""
        if self._race is None:
            raise LabError("Nothing has begun yet.")
        return self._race

    def begin(self, *options) -> dict:
        """Begin a race; return its status, and `done`: a page runs it like a step."""
        self._race = self.race_of(*options)
        return {**self._race.status(), "done": True}

    def forget(self) -> None:
        """Be as before the first race."""
        self._race = None

    def status(self) -> dict | None:
        """Return the status of the race, None if there is none."""
        return self._race and self._race.status()

    def save(self) -> tuple | None:
        """Return what another worker needs to go on as if nothing had happened."""
        return self._race and self._race.keep()

    def restore(self, kept: tuple) -> None:
        """Go on from what `save` returned."""
        options, kept_runs = kept
        self.begin(*options)
        self.race.go_on(kept_runs)

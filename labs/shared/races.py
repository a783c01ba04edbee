"""Programs that train side by side, from the same start, on the same documents."""

from __future__ import annotations

from types import ModuleType

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

    def step(self) -> list[float | None]:
        """Let each program do a step; return the losses, None where one broke down."""
        for run in self.runs.values():
            if not run.has_diverged:
                run.step()
        return [
            None if run.has_diverged else run.losses[-1] for run in self.runs.values()
        ]

    def keep(self) -> tuple:
        """Return what is needed to go on in another worker: options, and the runs."""
        return self.options, [run.keep() for run in self.runs.values()]

    def go_on(self, kept: list[tuple]) -> None:
        """Let each program go on from where it was kept."""
        for run, own in zip(self.runs.values(), kept, strict=True):
            run.go_on(own)

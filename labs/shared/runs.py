"""A training that can be looked into, kept, and taken up again.

What trains is the program's own `train`. While it does a step, its `learn` and its
`gpt` are replaced by ones that do the same and note what they are given and return.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator
from types import ModuleType

import microgpt

from labs.shared import hooks


class Run:
    """One training of one program, step by step."""

    def __init__(
        self,
        program: ModuleType,
        model,
        docs: list[str],
        steps: int,
        learning_rate: float,
        rng: random.Random,
    ) -> None:
        """Prepare a training of a new model; nothing is computed yet.

        `rng` gives the random numbers that come after those of the model.
        """
        self.program, self.model, self.docs = program, model, docs
        self.steps, self.learning_rate, self.rng = steps, learning_rate, rng
        self.losses = array("d")
        self.rate = learning_rate  # that of the last step
        self.logits: list[list[float]] = []  # what gpt returned in it, by position
        self.before: tuple[array, ...] | None = None  # numbers before the last step
        self.adam = program.Adam(model.params())
        self._steps = self._train()

    @property
    def done(self) -> int:
        """How many steps are done."""
        return len(self.losses)

    @property
    def has_diverged(self) -> bool:
        """Whether the numbers have gone off to infinity, so that no step can follow."""
        if self.done == self.steps and not all(map(math.isfinite, self.numbers()[0])):
            return True
        return self.done > 0 and not math.isfinite(self.losses[-1])

    def doc(self, step: int) -> str:
        """Return the document of a step, counted from 0."""
        return self.docs[step % len(self.docs)]

    def step(self) -> float:
        """Do a step; return the loss before it."""
        before, learn = self.numbers(), self.program.learn

        def watched_learn(tokens, model, adam, rate):
            self.rate = rate
            return learn(tokens, model, adam, rate)

        noted = hooks.logits_noted(self.program)
        watched = hooks.replaced(self.program, learn=watched_learn)
        with self.program.collector_paused(), noted as self.logits, watched:
            loss = next(self._steps)
        self.losses.append(loss)
        self.before = before
        return loss

    def set_learning_rate(self, learning_rate: float) -> None:
        """Let the steps from now on have the schedule of another learning rate."""
        if learning_rate != self.learning_rate:
            self.learning_rate = learning_rate
            self._steps = self._train()

    def samples(self, count: int) -> list[str]:
        """Return the names that the program would print if its training ended now.

        The random numbers of the training stay as they are.
        """
        rng = random.Random()
        rng.setstate(self.rng.getstate())
        program, model = self.program, self.model
        names = []
        for _ in range(count):
            trouble = program.saying("cannot sample from this model")
            with program.collector_paused(), trouble:
                names.append(model.tokenizer.decode(program.generate(model, rng)))
        return names

    def numbers(self) -> tuple[array, ...]:
        """Return all parameters, and Adam's m and v of each, as they are now."""
        data = array("d", [p.data for p in self.adam.params])
        return data, array("d", self.adam.m), array("d", self.adam.v)

    def keep(self) -> tuple:
        """Return what `go_on` needs; it can be pickled."""
        return self.learning_rate, self.rate, self.losses, self.numbers()

    def go_on(self, kept: tuple) -> None:
        """Take up a training of this program, model and documents where it was kept."""
        self.learning_rate, self.rate, self.losses, (data, m, v) = kept
        for p, number in zip(self.adam.params, data):
            p.data = number
        self.adam.m[:], self.adam.v[:], self.adam.steps = m, v, self.done
        self._steps = self._train()

    def _train(self) -> Iterator[float]:
        """Return the program's training from the step that comes next."""
        return self.program.train(
            self.model, self.docs, self.steps, self.learning_rate, self.adam
        )


def probabilities(rows: list[list[float]]) -> list[list[float]]:
    """Return what the program's softmax makes of each row of logits."""
    found = [microgpt.softmax([microgpt.Value(x) for x in row]) for row in rows]
    return [[p.data for p in probs] for probs in found]

"""The program with a reader's chunks in training, beside the book's."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from types import ModuleType

import microgpt

from exercises.edits import EditedBook
from exercises.typed import Screen, confined
from labs.shared import models
from labs.shared.book import book

RECENT = 20  # losses in the moving mean
NAMES = models.HOME / "names.txt"


class Learner:
    """A program in training, exactly as its command line does it."""

    def __init__(self, program: ModuleType, steps: int, names: str) -> None:
        """Begin with the list in a file, `names`."""
        options = program.parse(["--input", names, "--steps", str(steps)])
        self.program = program
        self.temperature = options.temperature
        docs, self.model, training = program.begin(options)
        self.rng = program.generator(training)
        self._losses = program.train(self.model, docs, steps, options.learning_rate)
        self._recent: deque[float] = deque(maxlen=RECENT)

    def step(self) -> dict[str, float]:
        """Do a step of training; return its loss, and the mean of the last ones."""
        with microgpt.collector_paused():
            loss = next(self._losses)
        if not isinstance(loss, int | float):
            raise TypeError(f"train yields a {type(loss).__name__}, not a number")
        self._recent.append(loss)
        return {"loss": loss, "mean": sum(self._recent) / len(self._recent)}

    def samples(self, count: int) -> list[str]:
        """Return some names that it makes up."""
        return [
            self.model.tokenizer.decode(
                self.program.generate(self.model, self.rng, self.temperature)
            )
            for _ in range(count)
        ]


class Pair:
    """The book's program and the reader's in training, side by side.

    `screen` has what the reader's program prints.
    """

    def __init__(
        self, edits: dict[str, str], steps: int, names: str = str(NAMES)
    ) -> None:
        """Put the `edits` into the reader's program, texts by the names of chunks."""
        self.screen = Screen()
        self.steps = 0
        self.is_same = True
        self.edited = EditedBook(book(), edits)
        self.program = EditedBook(book(), {}).load(models.HOME)
        self.book = Learner(self.program, steps, names)
        with self.watched():
            self.yours = Learner(self.edited.load(models.HOME), steps, names)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Keep the reader's program from harm, and say where it fails."""
        with self.edited.explained(), confined(self.program, self.screen):
            yield

"""The workshop: the program with a reader's chunks trains beside the book's.

Both begin with the same seed and see the same names. The training that goes on is the
module's only state.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from types import ModuleType

import microgpt

from exercises.edits import EditedBook, Mistake, text_of
from exercises.typed import Screen, confined
from labs import LabError
from labs.shared import models
from labs.shared.book import book

STEPS = 100
RECENT = 20  # losses in the moving mean
SAMPLES = 5


def chunk(line: int) -> dict:
    """Return the `name` and the `text` of the chunk with a piece at a line.

    `book` is the text in the default program, which differs in a variant.
    """
    for each in book().chunks.values():
        for piece in each.all_pieces():
            if piece.line == line:
                own, default = each.pieces_in(piece.variant), each.pieces
                text, in_book = text_of(book(), own), text_of(book(), default)
                return {"name": each.name, "text": text, "book": in_book}
    raise LabError("The book has changed since. Reload the page.")


class Learner:
    """A program in training, exactly as its command line does it."""

    def __init__(self, program: ModuleType) -> None:
        names = str(models.HOME / "names.txt")
        options = program.parse(["--input", names, "--steps", str(STEPS)])
        self.program = program
        self.temperature = options.temperature
        docs, self.model, training = program.begin(options)
        self.rng = program.generator(training)
        self._losses = program.train(self.model, docs, STEPS, options.learning_rate)
        self._recent: deque[float] = deque(maxlen=RECENT)

    def step(self) -> dict[str, float]:
        """Do a step of training; return its loss, and the mean of the last ones."""
        with microgpt.collector_paused():
            loss = next(self._losses)
        if not isinstance(loss, int | float):
            raise TypeError(f"train yields a {type(loss).__name__}, not a number")
        self._recent.append(loss)
        return {"loss": loss, "mean": sum(self._recent) / len(self._recent)}

    def samples(self) -> list[str]:
        """Return some names that it makes up."""
        return [
            self.model.tokenizer.decode(
                self.program.generate(self.model, self.rng, self.temperature)
            )
            for _ in range(SAMPLES)
        ]


class Pair:
    """The book's program and the reader's in training, side by side.

    `screen` has what the reader's program prints.
    """

    def __init__(self, edits: dict[str, str]) -> None:
        self.screen = Screen()
        self.steps = 0
        self.is_same = True
        self.edited = EditedBook(book(), edits)
        self.program = EditedBook(book(), {}).load(models.HOME)
        self.book = Learner(self.program)
        with self.watched():
            self.yours = Learner(self.edited.load(models.HOME))

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Keep the reader's program from harm, and say where it fails."""
        with self.edited.explained(), confined(self.program, self.screen):
            yield


_now: list[Pair] = []  # the pair that is in training, if any


def begin(edits: dict[str, str]) -> dict:
    """Tangle the reader's program, and get ready to train it beside the book's.

    `edits` are the chunks that differ from the book's, by name. Returns `mistakes`,
    empty if there are none (see Mistake), and the number of `steps` to come.
    """
    _now.clear()
    try:
        _now.append(Pair(edits))
    except Mistake as mistake:
        return {"mistakes": mistake.places, "steps": 0}
    return {"mistakes": [], "steps": STEPS}


def step() -> dict:
    """Train both programs for a step.

    Returns `step`, from 1; the `loss` and the `mean` of the last losses of `book` and
    `yours`; whether all losses so far are the `same`; what yours `printed`; `mistakes`
    (see Mistake); and `done`.
    """
    if not _now:
        raise LabError("This training is over. Begin it again.")
    pair = _now[0]
    start = len(pair.screen.shown())
    try:
        with pair.watched():
            yours = pair.yours.step()
    except Mistake as mistake:
        _now.clear()
        printed = pair.screen.shown()[start:]
        return {"mistakes": mistake.places, "printed": printed, "done": True}
    book = pair.book.step()
    pair.steps += 1
    pair.is_same &= yours["loss"] == book["loss"]
    return {
        "step": pair.steps,
        "book": book,
        "yours": yours,
        "same": pair.is_same,
        "printed": pair.screen.shown()[start:],
        "mistakes": [],
        "done": pair.steps == STEPS,
    }


def samples() -> dict:
    """Return names that both programs make up: `book`, `yours`, and `mistakes`."""
    if not _now:
        raise LabError("This training is over. Begin it again.")
    pair = _now.pop()
    book = pair.book.samples()
    try:
        with pair.watched():
            return {"book": book, "yours": pair.yours.samples(), "mistakes": []}
    except Mistake as mistake:
        return {"book": book, "yours": [], "mistakes": mistake.places}

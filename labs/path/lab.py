"""The path: the program with what a reader has written, and its thousand steps.

The program trains beside the book's, and each line that it prints is compared. The
training that goes on is the module's only state.
"""

from __future__ import annotations

import hashlib

import microgpt

from exercises import judging
from exercises.edits import VARIANT, EditedBook, Mistake
from labs import LabError
from labs.shared import models
from labs.shared.book import book
from labs.shared.pairs import Pair

STEPS = 1000
SAMPLES = 20
# What the original prints for the published list of names
PUBLISHED = "afba81c45f1b2d6e4debeba6d37e27fa94484042b8d06a0abf7af224d2f6dd3f"


def tasks() -> list[dict[str, str]]:
    """Return the `name` and the `start` of each task, in the book's order."""
    names = judging.path(book())
    return [{"name": n, "start": judging.start(judging.find(n), book())} for n in names]


def program(texts: dict[str, str]) -> dict:
    """Return the program with the reader's `texts` for some tasks.

    `lines` has its lines, each with the task that it is from, "" if it is the book's;
    `mistakes` what is wrong with it (see Mistake), with the task as their `task`.
    """
    try:
        output = EditedBook(book(), _edits(texts)).tangle()
    except Mistake as mistake:
        return {"lines": [], "mistakes": _places(mistake)}
    tasks = _tasks()
    lines = output.text.splitlines()
    origins = [output.origin(n).piece for n in range(1, len(lines) + 1)]
    whose = [tasks[p.name] if p.variant == VARIANT else "" for p in origins]
    return {"lines": [*zip(lines, whose)], "mistakes": []}


class Run:
    """Two programs that do their thousand steps, and what each has printed."""

    def __init__(self, texts: dict[str, str], names: str) -> None:
        self.pair = Pair(_edits(texts), STEPS, names)
        self.printed = [_head(self.pair.book, names), _head(self.pair.yours, names)]

    def step(self) -> None:
        with self.pair.watched():
            yours = self.pair.yours.step()
        self.pair.steps += 1
        losses = self.pair.book.step()["loss"], yours["loss"]
        for lines, loss in zip(self.printed, losses):
            lines.append(f"step {self.pair.steps:4d} / {STEPS:4d} | loss {loss:.4f}")

    def speak(self) -> None:
        with self.pair.watched():
            yours = self.pair.yours.samples(SAMPLES)
        for lines, names in zip(self.printed, (self.pair.book.samples(SAMPLES), yours)):
            lines += ["", "--- inference (new, hallucinated names) ---"]
            lines += [f"sample {i:2d}: {name}" for i, name in enumerate(names, start=1)]

    @property
    def same(self) -> int:
        """How many lines are the same, from the first on."""
        pairs = [*zip(*self.printed)]
        return next((n for n, (a, b) in enumerate(pairs) if a != b), len(pairs))


_now: list[Run] = []  # the run that goes on, if any


def begin(texts: dict[str, str], names: str = "names", data: str | None = None) -> dict:
    """Get ready to train on a list of the book, or on `data`.

    Returns `mistakes`, as `program` does, and the `steps` to come.
    """
    _now.clear()
    file = models.HOME / f"{names}.txt"
    if data is not None:
        file = models.HOME / "own.txt"
        file.write_text(data, encoding="utf-8")
    try:
        _now.append(Run(texts, str(file)))
    except Mistake as mistake:
        return {"mistakes": _places(mistake), "steps": 0}
    return {"mistakes": [], "steps": STEPS}


def step() -> dict:
    """Let both programs do a step; after the last one they speak.

    Returns `step`, from 1; the last lines of the `book` and of `yours`; how many lines
    are the `same`, from the first on; `mistakes`; `done`. With the last step come
    `lines`, how many there are, and whether they are the `published` ones.
    """
    if not _now:
        raise LabError("This run is over. Begin it again.")
    run = _now[0]
    try:
        run.step()
        done = run.pair.steps == STEPS
        if done:
            run.speak()
    except Mistake as mistake:
        _now.clear()
        return {"mistakes": _places(mistake), "done": True}
    told = {
        "step": run.pair.steps,
        "book": run.printed[0][-1],
        "yours": run.printed[1][-1],
        "same": run.same,
        "mistakes": [],
        "done": done,
    }
    if done:
        _now.clear()
        text = "".join(f"{line}\n" for line in run.printed[1])
        found = hashlib.sha256(text.encode()).hexdigest()
        told |= {"lines": len(run.printed[0]), "published": found == PUBLISHED}
        told |= {"names": [line[11:] for line in run.printed[1][-SAMPLES:]]}
    return told


def _head(learner, names: str) -> list[str]:
    with open(names, encoding="utf-8") as stream:
        docs = len(microgpt.split_docs(stream.read()))
    size, params = learner.model.tokenizer.vocab_size, len(learner.model.params())
    return [f"num docs: {docs}", f"vocab size: {size}", f"num params: {params}"]


def _tasks() -> dict[str, str]:
    """Return the tasks by the names of their chunks."""
    return {judging.find(name).chunk: name for name in judging.path(book())}


def _edits(texts: dict[str, str]) -> dict[str, str]:
    return {judging.find(name).chunk: text for name, text in texts.items()}


def _places(mistake: Mistake) -> list[dict]:
    tasks = _tasks()
    return [
        {**place, "task": tasks.get(place["chunk"], "")} for place in mistake.places
    ]

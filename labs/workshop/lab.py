"""The workshop: a reader's chunks, tangled into the program by the book's own tangler.

An edit is a variant of a chunk, put at the end of the book. The program that comes of
it is trained side by side with the book's, with the same seed and the same names.
"""

from __future__ import annotations

import contextlib
import functools
import linecache
import re
import traceback
import types
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import microgpt

from labs import LabError
from labs.shared import models
from labs.shared.book import book, program_of, text_of
from labs.shared.typed import ENDINGS, Flood, Screen, confined, last_line
from literate.core.diagnostics import DocumentError, Problem
from literate.core.document import parse
from literate.core.programs import Output, check_syntax

VARIANT = "reader"
YOURS = "<your microgpt.py>"
STEPS = 100
RECENT = 20  # losses in the moving mean
SAMPLES = 5


class Mistake(LabError):
    """The reader's program cannot go on: `places` says where, each as a dict.

    Each has `message`, and `chunk` and `line`: the name of a chunk and the line in it,
    from 1; None where there is none. `shown` has more: the source, and what to do.
    """

    def __init__(self, *places: dict) -> None:
        self.places = [*places]
        super().__init__("Your program: " + "; ".join(p["message"] for p in places))


def chunk(line: int) -> dict:
    """Return the `name` and the `text` of the chunk with a piece at a line.

    `book` is the text in the default program, which differs in a variant.
    """
    for each in book().chunks.values():
        for piece in each.all_pieces():
            if piece.line == line:
                text = text_of(each.pieces_in(piece.variant))
                return {"name": each.name, "text": text, "book": text_of(each.pieces)}
    raise LabError("The book has changed since. Reload the page.")


# Tangling


class Workpiece:
    """The book with a reader's chunks at its end, and where each of them begins."""

    def __init__(self, edits: dict[str, str]) -> None:
        """Put the chunks in; raises LabError if the book has no chunk of that name."""
        self.edits = edits
        lines = [*book().lines]
        self.places: list[tuple[int, str, list[str]]] = []  # first index, name, lines
        for name, text in edits.items():
            if name not in book().chunks:
                raise LabError(f"The book has no chunk called “{name}”.")
            first = book().chunks[name].pieces[0]
            fence = "`" * (1 + max(map(len, ["``", *re.findall("`+", text)])))
            header = f"{first.leader} <<{name}>>= (variant {VARIANT})"
            lines += ["\n", f"{fence}{first.language}\n", f"{header}\n"]
            own = [f"{line}\n" for line in text.rstrip().split("\n")]
            self.places.append((len(lines), name, own))
            lines += [*own, f"{fence}\n"]
        self.document = parse("".join(lines), "microgpt.md")
        self.output: Output | None = None

    def tangle(self) -> Output:
        """Return the program; raises Mistake if the tangler or Python refuses it."""
        try:
            self.output = program_of(self.document, VARIANT if self.places else None)
            check_syntax([self.output])
        except DocumentError as error:
            raise Mistake(*map(self._explain, error.problems)) from None
        return self.output

    def place(self, index: int) -> tuple[str | None, int | None]:
        """Return the chunk, and the line in it, at an index in the document."""
        for first, name, lines in self.places:
            if first <= index < first + len(lines):
                return name, index - first + 1
        for each in self.document.chunks.values():
            for piece in each.all_pieces():
                if piece.line <= index < piece.line + len(piece.lines):
                    return each.name, index - piece.line + 1
        return None, None

    def place_in_program(self, line: int) -> tuple[str | None, int | None]:
        """Return the chunk, and the line in it, at a line of the program."""
        return self.place(self.output.origin(line).line - 1)

    def _explain(self, problem: Problem) -> dict:
        name, line = self.place(problem.line - 1)
        if self.output:  # then Python's words are about lines of the program
            message = re.sub(r"\bline (\d+)", self._translate, problem.message)
            problem = replace(problem, message=message, hint="")
        shown = [text[2:] for text in problem.render().split("\n")[1:]]
        return _mistake(name, line, problem.message, "\n".join(shown))

    def _translate(self, match: re.Match[str]) -> str:
        name, line = self.place_in_program(int(match[1]))
        return f"line {line} of ⟨{name}⟩"


@functools.lru_cache(maxsize=4)
def _workpiece(edits: tuple[tuple[str, str], ...]) -> Workpiece:
    return Workpiece(dict(edits))


def load(edits: dict[str, str]) -> types.ModuleType:
    """Return the program with a reader's chunks as a fresh module.

    Without any it is the book's. Raises Mistake if there can be no such program.
    """
    module = types.ModuleType("microgpt")
    module.__file__ = str(models.HOME / "microgpt.py")
    if not edits:
        text = (models.HOME / "microgpt.py").read_text(encoding="utf-8")
        exec(compile(text, module.__file__, "exec"), module.__dict__)
        return module
    work = _workpiece(tuple(edits.items()))
    text = work.tangle().text
    lines = text.splitlines(keepends=True)
    linecache.cache[YOURS] = (len(text), None, lines, YOURS)
    with _explained(work):
        exec(compile(text, YOURS, "exec", dont_inherit=True), module.__dict__)
    return module


# Training


class Racer:
    """A program in training, exactly as its command line does it."""

    def __init__(self, program: types.ModuleType) -> None:
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


class Race:
    """The book's program and the reader's, side by side; `screen` has what is printed
    by the reader's."""

    def __init__(self, edits: dict[str, str]) -> None:
        self.screen = Screen()
        self.steps = 0
        self.is_same = True
        self.work = _workpiece(tuple(edits.items()))
        self.book = Racer(load({}))
        with self.watched():
            self.yours = Racer(load(edits))

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Keep the reader's program from harm, and say where it fails."""
        with _explained(self.work), confined(self.book.program, self.screen):
            yield


_races: list[Race] = []  # the one that is going on, if any


def begin(edits: dict[str, str]) -> dict:
    """Tangle the reader's program, and get ready to train it beside the book's.

    `edits` are the chunks that differ from the book's, by name. Returns `mistakes`,
    empty if there are none (see Mistake), and the number of `steps` to come.
    """
    _races.clear()
    try:
        _races.append(Race(edits))
    except Mistake as mistake:
        return {"mistakes": mistake.places, "steps": 0}
    return {"mistakes": [], "steps": STEPS}


def step() -> dict:
    """Train both programs for a step.

    Returns `step`, from 1; the `loss` and the `mean` of the last losses of `book` and
    `yours`; whether all losses so far are the `same`; what yours `printed`; `mistakes`
    (see Mistake); and `done`.
    """
    if not _races:
        raise LabError("This training is over. Begin it again.")
    race = _races[0]
    start = len(race.screen.shown())
    try:
        with race.watched():
            yours = race.yours.step()
    except Mistake as mistake:
        _races.clear()
        printed = race.screen.shown()[start:]
        return {"mistakes": mistake.places, "printed": printed, "done": True}
    book = race.book.step()
    race.steps += 1
    race.is_same &= yours["loss"] == book["loss"]
    return {
        "step": race.steps,
        "book": book,
        "yours": yours,
        "same": race.is_same,
        "printed": race.screen.shown()[start:],
        "mistakes": [],
        "done": race.steps == STEPS,
    }


def samples() -> dict:
    """Return names that both programs make up: `book`, `yours`, and `mistakes`."""
    if not _races:
        raise LabError("This training is over. Begin it again.")
    race = _races.pop()
    book = race.book.samples()
    try:
        with race.watched():
            return {"book": book, "yours": race.yours.samples(), "mistakes": []}
    except Mistake as mistake:
        return {"book": book, "yours": [], "mistakes": mistake.places}


@contextlib.contextmanager
def _explained(work: Workpiece) -> Iterator[None]:
    """Turn what a reader's program ends with into a Mistake."""
    try:
        yield
    except (Mistake, MemoryError):
        raise
    except Flood:
        raise Mistake(_mistake(None, None, ENDINGS["flood"])) from None
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == YOURS]
        said = last_line(error).strip()
        if isinstance(error, StopIteration):
            said = "train has ended early: it yields fewer losses than there are steps"
        if not own:
            raise Mistake(_mistake(None, None, said)) from None
        places = [(*work.place_in_program(frame.lineno), frame.line) for frame in own]
        edited = [place for place in places if place[0] in work.edits]
        name, line, shown = (edited or places)[-1]
        if (name, line) != places[-1][:2]:  # the book's code fails at what it is given
            said += f" (in line {places[-1][1]} of ⟨{places[-1][0]}⟩)"
        raise Mistake(_mistake(name, line, said, shown)) from None


def _mistake(
    name: str | None, line: int | None, message: str, shown: str | None = ""
) -> dict:
    return {"chunk": name, "line": line, "message": message, "shown": shown or ""}

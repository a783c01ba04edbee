"""An exercise from its start to its marks: an answer is run, and its checker judges."""

from __future__ import annotations

import importlib
import pkgutil
import tempfile
import textwrap
import traceback
from pathlib import Path
from types import ModuleType

import exercises
from exercises import AnswerError
from exercises.edits import PROGRAM, EditedBook, text_of
from exercises.marking import EXERCISES, Exercise, Mark, said_by
from exercises.tasks import blank, solution
from exercises.typed import ENDINGS, Flood, TypedCode, confined
from literate.core.document import Document
from literate.core.programs import tangle

ANSWER = "<your answer>"  # what tracebacks call it
NAMES = "build/names.txt"
WIDTH = 76
MOST = 1000  # characters of what an answer printed that are reported, the last ones


def find(name: str) -> Exercise:
    """Return the exercise of a name; raises KeyError if there is none."""
    return find_all()[name]


def find_all() -> dict[str, Exercise]:
    """Return all exercises by name: those of all modules in this folder."""
    for module in pkgutil.iter_modules(exercises.__path__, "exercises."):
        importlib.import_module(module.name)
    return EXERCISES


def path(book: Document) -> list[str]:
    """Return the names of all tasks, in the order of their chunks in the book."""
    tasks = [
        name
        for name, exercise in find_all().items()
        if exercise.slips and exercise.chunk in book.chunks
    ]
    return sorted(tasks, key=lambda name: book.chunks[find(name).chunk].pieces[0].line)


def start(exercise: Exercise, book: Document) -> str:
    """Return what the reader begins with."""
    if not exercise.chunk:
        return exercise.start
    if exercise.slips:
        return blank(solution(book, exercise.chunk))
    return text_of(book, book.chunks[exercise.chunk].pieces)


def check(exercise: Exercise, text: str, book: Document, home: Path) -> dict:
    """Run an answer and judge it.

    `book` is the document, and `home` a folder with the files that it tangles into, in
    which the answer gets a folder of its own, `desk`.
    Returns `marks` (see marking.Mark), with no hint twice; `passed`, whether all are
    right; and `output`, what the answer printed, with its error if it ended with one.
    """
    program = EditedBook(book, {}).load(home)
    answer = TypedCode(text, ANSWER, program)
    names: dict = {"__name__": "answer"}
    if exercise.chunk:
        names |= {"text": text, "book": book}
    else:
        answer.run(names)
    marks: list[Mark] = []
    if answer.ending is None:
        with confined(program, answer.screen):
            marks = _judge(exercise, names, program)
    return {
        "marks": [mark._asdict() for mark in marks],
        "passed": bool(marks) and all(mark.ok for mark in marks),
        "output": answer.output,
    }


def check_alone(name: str, text: str, book: Document) -> dict:
    """Return what `check` does, in a folder of its own with the program."""
    with tempfile.TemporaryDirectory() as folder:
        for output in tangle(book):
            if output.path in (PROGRAM, NAMES):
                place = Path(folder, output.path.rpartition("/")[2])
                place.write_text(output.text, encoding="utf-8", newline="")
        return check(find(name), text, book, Path(folder))


def report(found: dict) -> str:
    """Return marks in words: the first that is not right, or that all are."""
    if found["passed"]:
        return "right"
    lines = ["not yet"]
    for mark in [mark for mark in found["marks"] if not mark["ok"]][:1]:
        came, is_wanted, wanted = mark["came"].partition(", and it should be ")
        lines += textwrap.wrap(f"{mark['what']}: {came}".removesuffix(": "), WIDTH)
        lines += [f"it should be {wanted}"] if is_wanted else []
        lines += textwrap.wrap(mark["hint"] and f"Hint: {mark['hint']}", WIDTH)
    lines += found["output"][-MOST:].splitlines()
    return "\n    ".join(lines)


def _judge(exercise: Exercise, names: dict, program: ModuleType) -> list[Mark]:
    """Return the marks; the last one tells whether the answer broke off under test."""
    marks: list[Mark] = []
    try:
        hints: set[str] = set()
        for mark in exercise.check(names, program):
            marks.append(mark._replace(hint="" if mark.hint in hints else mark.hint))
            hints.add(mark.hint)
    except MemoryError:
        raise
    except AnswerError as error:
        marks.append(Mark(False, str(error), ""))
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame.lineno for frame in frames if frame.filename == ANSWER]
        place = f"in line {own[-1]}, " if own else ""
        said = ENDINGS["flood"] if isinstance(error, Flood) else said_by(error)
        marks.append(Mark(False, "the checker's cases run through", place + said))
    return marks

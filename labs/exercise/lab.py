"""The exercises that the page marks: what a reader starts from, and the marking.

An answer is Python, run in names of its own. Its checker (see exercises/) then looks at
what it defines and yields marks.
"""

from __future__ import annotations

import traceback
from types import ModuleType

from exercises import (  # noqa: F401 - they fill EXERCISES
    data,
    experiments,
    learning,
    model,
    training,
)
from exercises.marking import EXERCISES, Exercise, Mark, said_by
from labs import LabError
from labs.shared.book import book, text_of
from labs.shared.typed import ENDINGS, Code, Flood, confined
from labs.workshop import lab as workshop

ANSWER = "<your answer>"  # what tracebacks call it


def start(exercise: str) -> str:
    """Return what the reader begins with."""
    found = _find(exercise)
    if not found.chunk:
        return found.start
    return text_of(book().chunks[found.chunk].pieces)


def check(exercise: str, text: str) -> dict:
    """Run an answer and judge it.

    Returns `marks` (see marking.Mark), with no hint twice; `passed`, whether all are
    right; and `output`, what the answer printed, with its error if it ended with one.
    """
    found = _find(exercise)
    program = workshop.load({})
    code = Code(text, ANSWER)
    names: dict = {"__name__": "answer"}
    if found.chunk:
        names["text"] = text
    else:
        code.run(program, names)
    marks: list[Mark] = []
    if code.ending is None:
        with confined(program, code.screen):
            marks = _judge(found, names, program)
    return {
        "marks": [mark._asdict() for mark in marks],
        "passed": bool(marks) and all(mark.ok for mark in marks),
        "output": code.output,
    }


def _judge(exercise: Exercise, names: dict, program: ModuleType) -> list[Mark]:
    """Return the marks; the last one tells if the answer breaks off under test."""
    marks: list[Mark] = []
    try:
        hints: set[str] = set()
        for mark in exercise.check(names, program):
            marks.append(mark._replace(hint="" if mark.hint in hints else mark.hint))
            hints.add(mark.hint)
    except MemoryError:
        raise
    except LabError as error:
        marks.append(Mark(False, str(error), ""))
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame.lineno for frame in frames if frame.filename == ANSWER]
        place = f"in line {own[-1]}, " if own else ""
        said = ENDINGS["flood"] if isinstance(error, Flood) else said_by(error)
        marks.append(Mark(False, "the checker's cases run through", place + said))
    return marks


def _find(name: str) -> Exercise:
    if name not in EXERCISES:
        raise LabError("The book has changed since. Reload the page.")
    return EXERCISES[name]

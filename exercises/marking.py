"""What the checkers of exercises have in common: marks, and words for what came out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import NamedTuple

from exercises import AnswerError
from exercises.typed import UNPRINTABLE


class Mark(NamedTuple):
    """Whether something is right, what was looked at, what came out, and a hint."""

    ok: bool
    what: str
    came: str
    hint: str = ""


class Slip(NamedTuple):
    """A wrong idea: it writes `new` where the program has `old`; what is to be said."""

    said: str
    old: str
    new: str


Check = Callable[[dict, ModuleType], Iterator[Mark]]  # names, program → marks


class Exercise(NamedTuple):
    """The `start` that the reader finds, and the `check` of what comes of it.

    `chunk` is the name of the chunk that is to be changed, if it is one: then the
    start is the chunk, and the answer is not run: `check` gets it among the names, as
    "text", with the document as "book". `slips` are those of a task, see tasks.task,
    which starts from the chunk without what its functions do.
    """

    start: str
    check: Check
    chunk: str = ""
    slips: tuple[Slip, ...] = ()


EXERCISES: dict[str, Exercise] = {}


def exercise(name: str, start: str, chunk: str = "") -> Callable[[Check], Check]:
    """Make an exercise of the checker that follows."""

    def add(check: Check) -> Check:
        EXERCISES[name] = Exercise(start.lstrip("\n"), check, chunk)
        return check

    return add


def get(names: dict, name: str, kind: str = "function"):
    """Return what an answer calls by a name; raises AnswerError if there is no such."""
    if name not in names:
        raise AnswerError(f"There is no {name} yet: define a {kind} of that name.")
    if kind == "function" and not callable(names[name]):
        raise AnswerError(f"{name} has to be a function: def {name}(…): …")
    return names[name]


def equal(what: str, got: object, wanted: object, hint: str = "") -> Mark:
    """Return the mark of a prediction: without the right answer, but with a hint."""
    ok = type(got) is not bool and bool(got == wanted)
    return Mark(ok, what, f"you say {short(got)}", "" if ok else hint)


def near(
    what: str,
    got: object,
    wanted: object,
    hint: str = "",
    slips: Iterable[tuple[str, object]] = (),
) -> Mark:
    """Return the mark of a number or a list of numbers that comes from a function.

    `slips` are pairs of a hint and of what comes out of the mistake that it is against;
    `hint` is for all others.
    """
    if agree(got, wanted):
        return Mark(True, what, short(got))
    hint = next((words for words, slip in slips if agree(got, slip)), hint)
    return Mark(False, what, compared(got, wanted), hint)


def compared(got: object, wanted: object) -> str:
    """Return what is wrong with what comes from a function."""
    if got is None:
        return "yours returns nothing; is there a return at its end?"
    if hasattr(got, "data") and hasattr(got, "grad"):
        return "yours returns a Value, and a plain number is wanted; take its data"
    if isinstance(got, Iterator | map | zip):
        return "yours returns something to go through once; make a list of it"
    return f"yours gives {short(got)}, and it should be {short(wanted)}"


def agree(got: object, wanted: object) -> bool:
    """Tell whether numbers, or lists of them, are nearly the same."""
    if isinstance(wanted, list | tuple):
        is_row = isinstance(got, list | tuple) and len(got) == len(wanted)
        return is_row and all(map(agree, got, wanted))
    is_number = isinstance(got, int | float) and not isinstance(got, bool)
    return is_number and math.isclose(got, wanted, rel_tol=1e-4, abs_tol=1e-6)


def short(thing: object) -> str:
    """Return how something is shown: numbers with few decimals, nothing too long."""
    if isinstance(thing, float):
        return f"{thing:.4g}"
    if isinstance(thing, list | tuple) and len(thing) < 30:
        inside = ", ".join(map(short, thing))
        return f"[{inside}]" if isinstance(thing, list) else f"({inside})"
    shown = repr(thing)
    return shown if len(shown) < 200 else f"{shown[:200]} …"


def plain_softmax(program: ModuleType, scores: list[float]) -> list[float]:
    """Return the program's softmax of plain numbers, as plain numbers."""
    return [p.data for p in program.softmax([*map(program.Value, scores)])]


def said_by(error: BaseException) -> str:
    """Return how an exception presents itself."""
    try:
        return f"{type(error).__name__}: {error}"[:500]
    except BaseException:  # the error is the reader's own, and so is its text
        return UNPRINTABLE

"""Marks a task: the answer and the book's chunk do the same cases, and are compared.

What an answer does wrong is compared with what the slips of the task do wrong. Where
one does the same, the reader is told what is to be said against it.
"""

from __future__ import annotations

import ast
import math
import random
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from types import ModuleType

from exercises import AnswerError
from exercises.edits import EditedBook, Mistake, functions, is_unwritten, solution
from exercises.marking import Mark, Slip, compared, short
from literate.core.document import Document

Cases = Callable[[ModuleType, random.Random], Iterator[tuple[str, object]]]
Outcome = list[tuple[str, object]]  # of each case, what came; an exception ends it

TOLERANCE = 1e-9  # relative
SEED = 1
PLAIN = "plain numbers came out; they have to be Values, or no slope goes back"


def compare(
    chunk: str, cases: Cases, slips: tuple[Slip, ...], names: dict, program: ModuleType
) -> Iterator[Mark]:
    """Mark an answer, `names["text"]`, that is to take the place of a chunk."""
    book, home = names["book"], Path(program.__file__).parent
    edited = EditedBook(book, {chunk: names["text"]})
    try:
        _check_names(names["text"], solution(book, chunk), program)
        own = edited.load(home)
    except Mistake as mistake:
        yield Mark(
            False, "Python says", _said(chunk, mistake).replace("not Python: ", "")
        )
        return
    right, got = [*cases(program, random.Random(SEED))], _outcome(cases, own)
    wrong = [place for place in range(len(right)) if not _is_same(got, right, place)]
    slip = wrong and _slip(
        got, wrong, slips, _slip_outcomes(book, home, chunk, cases, slips)
    )
    for what, group in groupby(range(len(right)), key=lambda place: right[place][0]):
        places = [*group]
        bad = next((place for place in places if place in wrong), None)
        if bad is None:
            many = f"all {len(places)} agree"
            came = many if places[1:] else _shown(right[places[0]][1])
            yield Mark(True, what, came)
            continue
        if isinstance(got[bad][1], Exception):
            yield Mark(False, what, _ended(chunk, edited, got[bad][1]), slip)
            return
        came = _compared(got[bad][1], right[bad][1])
        yield Mark(False, what, came, "" if came == PLAIN else slip)


def _check_names(text: str, wanted: str, program: ModuleType) -> None:
    """Raise AnswerError if an answer has not just the functions that are asked for."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # the tangler says it better
        return
    made, asked = functions(text), functions(wanted)
    for name in asked:
        if name not in made:
            raise AnswerError(f"There is no function {name} at the left margin.")
        if is_unwritten(made[name]):
            raise AnswerError(f"{name} has no body yet.")
    for name in made.keys() - asked.keys():
        if hasattr(program, name):
            words = "is a function of the book already: call yours by another name."
            raise AnswerError(f"{name} {words}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and "microgpt" in ast.unparse(
            node
        ):
            words = "all of the book’s functions are here."
            raise AnswerError(f"Take the import of microgpt away: {words}")


def _outcome(cases: Cases, program: ModuleType) -> Outcome:
    found: Outcome = []
    try:
        for each in cases(program, random.Random(SEED)):
            found.append(each)
    except MemoryError:
        raise
    except Exception as error:
        found.append(("", error))
    return found


@cache
def _slip_outcomes(
    book: Document, home: Path, chunk: str, cases: Cases, slips: tuple[Slip, ...]
) -> list[Outcome]:
    text = solution(book, chunk)
    wrong = (text.replace(slip.old, slip.new) for slip in slips)
    programs = (EditedBook(book, {chunk: each}).load(home) for each in wrong)
    return [_outcome(cases, each) for each in programs]


def _slip(
    got: Outcome, wrong: list[int], slips: tuple[Slip, ...], outcomes: list[Outcome]
) -> str:
    """Return the words against the slip that does what the answer does.

    It does so in the first case that is wrong, and in more than half of all that are;
    else "" is returned. Of several, the one is taken that is most alike.
    """
    reached = [place for place in wrong if place < len(got)]

    def likeness(outcome: Outcome) -> tuple[int, int]:
        same = [_is_same(outcome, got, place) for place in range(len(got))]
        return sum(same[place] for place in reached), sum(same)

    alike = [
        (likeness(outcome), slip.said)
        for slip, outcome in zip(slips, outcomes)
        if _is_same(outcome, got, reached[0])
    ]
    (count, _), said = max(alike, key=lambda each: each[0], default=((0, 0), ""))
    return said if count > len(reached) / 2 else ""


def _is_same(one: Outcome, other: Outcome, place: int) -> bool:
    if place >= min(len(one), len(other)):
        return False
    return _agree(one[place][1], other[place][1])


def _agree(got: object, wanted: object) -> bool:
    if isinstance(wanted, Exception):
        return type(got) is type(wanted)
    if isinstance(wanted, dict):
        return isinstance(got, dict) and _agree([*got.values()], [*wanted.values()])
    if isinstance(wanted, list | tuple):
        is_row = isinstance(got, list | tuple) and len(got) == len(wanted)
        return is_row and all(map(_agree, got, wanted))
    if isinstance(wanted, float) and isinstance(got, int | float):
        return math.isclose(got, wanted, rel_tol=TOLERANCE, abs_tol=1e-12)
    return type(got) is type(wanted) and got == wanted


def _compared(got: object, wanted: object) -> str:
    """Say how two outcomes differ; of long ones, the first place where they do."""
    what = ""
    if isinstance(wanted, dict):
        pairs = zip(got.values(), wanted.items())
        got, (what, wanted) = next(p for p in pairs if not _agree(p[0], p[1][1]))
        if got is None and "slopes" in what:
            return PLAIN
    place = ""
    while _is_long(wanted) and _is_row(got) and len(got) == len(wanted):
        index = next(i for i, each in enumerate(wanted) if not _agree(got[i], each))
        got, wanted, place = got[index], wanted[index], f"{place}[{index}]"
    said = compared(None if _has_nothing(got) else got, wanted)
    if short(got) == short(wanted):  # they differ in later digits
        said = f"yours gives {got}, and it should be {wanted}"
    return ", ".join(filter(None, [what, place and f"at {place}", said]))


def _shown(outcome: object) -> str:
    return short([*outcome.values()] if isinstance(outcome, dict) else outcome)


def _has_nothing(got: object) -> bool:
    """Tell whether what came is nothing, or nothing is in the list that tells of it."""
    return got is None or (_is_row(got) and any(map(_has_nothing, got)))


def _is_row(thing: object) -> bool:
    return isinstance(thing, list | tuple)


def _is_long(wanted: object) -> bool:
    return _is_row(wanted) and len(short(wanted)) > 60


def _ended(chunk: str, edited: EditedBook, error: Exception) -> str:
    try:
        with edited.explained():
            raise error
    except Mistake as mistake:
        return _said(chunk, mistake)


def _said(chunk: str, mistake: Mistake) -> str:
    place = mistake.places[0]
    where = f"line {place['line']}: " if place["chunk"] == chunk else ""
    return where + place["message"]

"""Tasks: exercises that ask for a chunk of the program, which holds whole functions.

The answer takes the place of the chunk, and the book supplies all others. The cases of
the task run in both programs, and what comes out is compared: to 1e-9, relative. A slip
is the chunk as somebody would write it who has a wrong idea: if an answer does what a
slip does, that idea is named.
"""

from __future__ import annotations

import ast
import math
import random
import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import groupby, takewhile
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from exercises.edits import EditedBook, Mistake
from exercises.marking import EXERCISES, Exercise, Mark, Slip, compared, short
from literate.core.document import Document

Cases = Callable[[ModuleType, random.Random], Iterator[tuple[str, object]]]

TOLERANCE = 1e-9  # relative
SEED = 1
AFTER = "loss_per_token"  # with this the comforts of the program begin


def task(name: str, chunk: str, *slips: Slip) -> Callable[[Cases], Cases]:
    """Make a task of the cases that follow.

    They get a program and a generator, and yield what is looked at and what came out,
    in plain numbers, texts and lists. Cases of one name are told together. What is to
    be written must not draw from the generator, or the cases would not be the same.
    """

    def add(cases: Cases) -> Cases:
        check = partial(_check, chunk, cases, slips)
        EXERCISES[name] = Exercise("", check, chunk, slips)
        return cases

    return add


class Words(NamedTuple):
    """What the book says of a task: its line, from 1, its words, and its hints."""

    line: int
    text: str
    hints: list[str]


def words(book: Document, name: str) -> Words:
    """Return what the book says of a task."""
    head = next(i for i, line in enumerate(book.lines) if f'"{name}">' in line)
    inside = takewhile(
        lambda line: not line.startswith("</div>"), book.lines[head + 1 :]
    )
    text, *hints = re.split(r"^\d\. ", "".join(inside), flags=re.MULTILINE)
    return Words(head + 1, _unwrapped(text), [*map(_unwrapped, hints)])


def _unwrapped(text: str) -> str:
    return " ".join(text.split())


def blank(text: str) -> str:
    """Return a chunk whose functions have their docstrings left, and `...` behind."""
    lines = text.splitlines(keepends=True)
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.FunctionDef):
            has_words = ast.get_docstring(node) is not None
            signature = (
                node.body[0].end_lineno if has_words else node.body[0].lineno - 1
            )
            lines[signature : node.end_lineno] = ["    ...\n"]
    return "".join(lines)


def solution(book: Document, chunk: str) -> str:
    """Return a chunk as it stands in the program, with the chunks that it refers to."""
    shown = ""
    for piece in book.chunks[chunk].pieces:
        references = {each.index: each for each in piece.references}
        for index, line in enumerate(piece.lines):
            if index not in references:
                shown += line
                continue
            indent, name = references[index].indent, references[index].name
            inner = solution(book, name).splitlines(keepends=True)
            shown += "".join(indent + each for each in [f"# {name}\n", *inner])
    return shown


def scope(book: Document, chunk: str) -> list[tuple[str, str]]:
    """Return what the functions of a chunk may call: signature, and what it is.

    These are the classes and functions of the algorithm, and methods as `Class.name`.
    """
    own = {node.name for node in ast.parse(solution(book, chunk)).body if _is_def(node)}
    found = []
    for node in ast.parse(EditedBook(book, {}).tangle().text).body:
        if isinstance(node, ast.ClassDef):
            methods = [each for each in node.body if _is_def(each)]
            found += [
                (f"{node.name}.", each) for each in methods if "__" not in each.name
            ]
        elif _is_def(node) and node.name == AFTER:
            break
        elif _is_def(node):
            found.append(("", node))
    return [
        (
            f"{of}{node.name}({ast.unparse(node.args)})",
            (ast.get_docstring(node) or "").split("\n")[0],
        )
        for of, node in found
        if node.name not in own
    ]


def _is_def(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef)


# What cases are made of, and what comes out of them


def values(program: ModuleType, numbers):
    """Return numbers, or lists of them, as values."""
    if isinstance(numbers, list):
        return [values(program, number) for number in numbers]
    return program.Value(numbers)


def plain(thing):
    """Return what values hold, also those in lists."""
    if isinstance(thing, list | tuple):
        return [*map(plain, thing)]
    return getattr(thing, "data", thing)


def slopes(outputs, *inputs):
    """Return the slopes of inputs, values in lists, behind a list of outputs.

    They are those of the first output, twice the second, three times the third.
    """
    try:
        total = sum(
            (y * n for n, y in enumerate(outputs, start=1)), type(inputs[0][0])(0.0)
        )
        for x in _flat(inputs):
            x.grad = 0.0
        total.backward()
    except (TypeError, AttributeError):
        return "no values"
    return [x.grad for x in _flat(inputs)]


def _flat(thing) -> Iterator:
    if isinstance(thing, list | tuple):
        for each in thing:
            yield from _flat(each)
    else:
        yield thing


def small(program: ModuleType, rng: random.Random, **sizes: int):
    """Return a small model with drawn parameters; `sizes` are those of Model."""
    sizes = {"n_embd": 4, "n_head": 2, "n_layer": 2, "block_size": 5, **sizes}
    model = program.Model(program.Tokenizer("abc"), **sizes)
    for name, (m, n) in model.shapes().items():
        rows = [[rng.gauss(0, 0.5) for _ in range(n)] for _ in range(m)]
        model.state_dict[name] = values(program, rows)
    return model


# Judging


def _check(
    chunk: str, cases: Cases, slips: tuple[Slip, ...], names: dict, program: ModuleType
) -> Iterator[Mark]:
    book, home = names["book"], Path(program.__file__).parent
    edited = EditedBook(book, {chunk: names["text"]})
    try:
        own = edited.load(home)
    except Mistake as mistake:
        yield Mark(False, "Python can read it", _said(chunk, mistake))
        return
    right, got = _outcome(cases, program), _outcome(cases, own)
    wrong = [p for p in range(len(right.found)) if not _agree(got.at(p), right.at(p))]
    slip = ""
    if wrong:
        outcomes = _slip_outcomes(book, home, chunk, cases, slips)
        slip = _slip(got, wrong, slips, outcomes)
    for what, group in groupby(enumerate(right.found), key=lambda each: each[1][0]):
        (place, (_, wanted)), *more = sorted(
            group, key=lambda each: each[0] not in wrong
        )
        if place not in wrong:
            yield Mark(
                True, what, f"all {len(more) + 1} agree" if more else short(wanted)
            )
        elif place == len(got.found):
            yield Mark(False, what, _ended(chunk, edited, got.error), slip)
            return
        else:
            yield Mark(False, what, _compared(got.found[place][1], wanted), slip)


class Outcome(NamedTuple):
    """What came out of the cases, up to the error that ended them, if any."""

    found: list[tuple[str, object]]
    error: Exception | None

    def at(self, place: int) -> list[tuple[str, object]]:
        """Return what came out of one case, in a list that is empty if nothing did."""
        return self.found[place : place + 1]


def _outcome(cases: Cases, program: ModuleType) -> Outcome:
    found = []
    try:
        for each in cases(program, random.Random(SEED)):
            found.append(each)
    except MemoryError:
        raise
    except Exception as error:
        return Outcome(found, error)
    return Outcome(found, None)


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

    It does so in more than half of the cases that are wrong; else "" is returned.
    """

    def likeness(place: int) -> tuple[int, int]:
        same = [_agree(outcomes[place].at(p), got.at(p)) for p in range(wrong[-1] + 1)]
        return sum(same[p] for p in wrong), sum(same)

    best = max(range(len(slips)), key=likeness)
    return slips[best].said if likeness(best)[0] > len(wrong) / 2 else ""


def _agree(got: object, wanted: object) -> bool:
    if isinstance(wanted, list | tuple):
        is_row = isinstance(got, list | tuple) and len(got) == len(wanted)
        return is_row and all(map(_agree, got, wanted))
    if isinstance(wanted, float) and isinstance(got, int | float):
        return math.isclose(got, wanted, rel_tol=TOLERANCE, abs_tol=1e-12)
    return type(got) is type(wanted) and got == wanted


def _compared(got: object, wanted: object) -> str:
    """Say how two outcomes differ; of long ones, the first place where they do."""
    if _has_nothing(got):
        return compared(None, wanted)
    place = ""
    while (
        _is_long(wanted) and isinstance(got, list | tuple) and len(got) == len(wanted)
    ):
        index = next(i for i, each in enumerate(wanted) if not _agree(got[i], each))
        got, wanted, place = got[index], wanted[index], f"{place}[{index}]"
    return f"at {place}, {compared(got, wanted)}" if place else compared(got, wanted)


def _has_nothing(got: object) -> bool:
    """Tell whether what came is nothing, or nothing is in the list that tells of it."""
    return got is None or (
        isinstance(got, list | tuple) and any(map(_has_nothing, got))
    )


def _is_long(wanted: object) -> bool:
    return isinstance(wanted, list | tuple) and len(short(wanted)) > 60


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

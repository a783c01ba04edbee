"""Tasks: exercises that ask for a chunk of the program, which holds whole functions.

The answer takes the place of the chunk, and the book supplies all others. The cases of
the task run in both programs, and what comes out is compared: to 1e-9, relative. A slip
is the chunk as somebody would write it who has a wrong idea: if an answer does what a
slip does, that idea is named.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import takewhile
from types import ModuleType
from typing import NamedTuple

from exercises.comparing import Cases, compare
from exercises.edits import EditedBook, functions, is_unwritten, solution
from exercises.marking import EXERCISES, Exercise, Slip
from literate.core.document import Document
from literate.core.labs import labs_in

AFTER = "loss_per_token"  # with this the comforts of the program begin


def task(name: str, chunk: str, *slips: Slip) -> Callable[[Cases], Cases]:
    """Make a task of the cases that follow.

    They get a program and a generator, and yield what is looked at and what came out,
    in plain numbers, texts and lists. Cases of one name are told together. What is to
    be written must not draw from the generator, or the cases would not be the same.
    """

    def add(cases: Cases) -> Cases:
        check = partial(compare, chunk, cases, slips)
        EXERCISES[name] = Exercise("", check, chunk, slips)
        return cases

    return add


class Words(NamedTuple):
    """What the book says of a task, and which section, at which line, explains it."""

    text: str
    hints: list[str]
    section: str
    line: int


def words(book: Document, name: str) -> Words:
    """Return what the book says of a task."""
    head = next(
        index
        for index, line in enumerate(book.lines)
        if any(lab.exercise == name for lab in labs_in(line))
    )
    inside = takewhile(
        lambda line: not line.startswith("</div>"), book.lines[head + 1 :]
    )
    text, *hints = re.split(r"^\d\. ", "".join(inside), flags=re.MULTILINE)
    heading = max(h.start for h in book.headings if h.start < head)
    section = book.lines[heading].strip("# \r\n")
    return Words(_unwrapped(text), [*map(_unwrapped, hints)], section, heading + 1)


def _unwrapped(text: str) -> str:
    return " ".join(text.split())


def unwritten(text: str) -> list[str]:
    """Return the names of the functions in a text that have no body yet."""
    return [name for name, node in functions(text).items() if is_unwritten(node)]


def blank(text: str) -> str:
    """Return a chunk whose functions have their docstrings left, and `...` behind."""
    lines = text.splitlines(keepends=True)
    for node in reversed(functions(text).values()):
        has_words = ast.get_docstring(node) is not None
        first = node.body[0]
        signature = first.end_lineno if has_words else first.lineno - 1
        lines[signature : node.end_lineno] = ["    ...\n"]
    return "".join(lines)


def scope(book: Document, chunk: str) -> list[tuple[str, str]]:
    """Return what the functions of a chunk may call: signature, and what it is.

    These are the classes and functions of the algorithm, and methods as `Class.name`.
    """
    own = functions(solution(book, chunk))
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


def outcome(result, *inputs) -> dict:
    """Return what came out of a function, and the slopes of what went in, in lists."""
    outputs, of = [result], "what comes out"
    if isinstance(result, list | tuple):
        outputs = [*result]
        of = " + ".join(f"{n}·y{n}" for n in range(1, len(outputs) + 1))
    return {"what comes out": plain(result), f"slopes of {of}": slopes(outputs, inputs)}


def slopes(outputs: list, inputs: tuple) -> list[float] | None:
    """Return the slopes of inputs, values in lists, behind a list of outputs.

    They are those of the first output, twice the second, three times the third. None
    is returned if no slopes go back from what came out.
    """
    known = [*_flat(inputs)]
    value = type(known[0])
    if not all(isinstance(y, value) for y in outputs):
        return None
    for x in known:
        x.grad = 0.0
    value(0.0, [*outputs], [float(n) for n in range(1, len(outputs) + 1)]).backward()
    return [x.grad for x in known]


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

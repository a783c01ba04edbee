"""The program's chunks, found by their names: their code, and what happens in them.

A name is all that the labs know of where code stands. Where the book renames a chunk, a
KeyError says which one is missed.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple

import microgpt

from exercises.edits import PROGRAM
from labs.shared.book import book
from literate.core.modules import output_at


class Moment(NamedTuple):
    """The end of a chunk while the program runs: its name, and the local names then.

    Where the chunk ends by returning, the names have the result as "return".
    """

    chunk: str
    names: dict


def code(name: str) -> list[str]:
    """Return the lines of code of a chunk, without indentation."""
    lines = [line for piece in book().chunks[name].pieces for line in piece.lines]
    return [line.strip() for line in lines if line.strip()]


def lines(name: str) -> list[int]:
    """Return the lines of the program, from 1, in which a chunk stands."""
    pieces = book().chunks[name].pieces
    spans = [span for span in _program().spans if span.piece in pieces]
    return [span.line + i for span in spans for i in range(1, span.count + 1)]


@contextlib.contextmanager
def watched(*names: str) -> Iterator[list[Moment]]:
    """Yield a list that gets a moment whenever one of these chunks ends in the block.

    None of the chunks may be a part of another one.
    """
    chunk_at = {line: name for name in names for line in lines(name)}
    moments: list[Moment] = []

    @functools.cache
    def has_chunk(code: CodeType) -> bool:
        # Up to Python 3.11 a comprehension is code of its own, "<listcomp>".
        is_function = code.co_filename == microgpt.__file__ and code.co_name[0] != "<"
        return is_function and any(line in chunk_at for *_, line in code.co_lines())

    def follow(frame, _event, _argument):
        if not has_chunk(frame.f_code):
            return None
        chunk = None  # where the frame is

        def note(frame, event, argument):
            nonlocal chunk
            if event == "exception":
                return note  # a "return" follows, unless it is caught
            here = chunk_at.get(frame.f_lineno) if event == "line" else None
            if chunk and here != chunk:
                moments.append(Moment(chunk, {**frame.f_locals, "return": argument}))
            chunk = here
            return note

        return note

    before = sys.gettrace()
    sys.settrace(follow)
    try:
        yield moments
    finally:
        sys.settrace(before)


@functools.cache
def _program():
    return output_at(book(), PROGRAM)

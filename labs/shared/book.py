"""The book: its chunks as they are written, and the programs that it tangles into."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from labs.shared import models
from literate.core.document import Document, Piece, parse
from literate.core.programs import Output, tangle

PROGRAM = "build/microgpt.py"


@functools.cache
def book() -> Document:
    """Return the book."""
    text = (models.HOME / "microgpt.md").read_bytes().decode()
    return parse(text, "microgpt.md")


def text_of(pieces: Iterable[Piece]) -> str:
    """Return pieces as the book has them."""
    lines = book().lines
    return "".join(
        line for p in pieces for line in lines[p.line : p.line + len(p.lines)]
    )


def program_of(document: Document, variant: str | None) -> Output:
    """Return the program that a document tangles into."""
    outputs = tangle(document, variant)
    return next(each for each in outputs if each.path == PROGRAM)

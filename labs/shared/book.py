"""The book, from which the labs make the programs that they run."""

from __future__ import annotations

import functools
from types import ModuleType

from exercises.edits import PROGRAM
from labs.shared import models
from literate.core.document import Document, parse
from literate.core.modules import load, output_at


@functools.cache
def book() -> Document:
    """Return the book."""
    text = (models.HOME / "microgpt.md").read_bytes().decode()
    return parse(text, "microgpt.md")


def variant(name: str) -> ModuleType:
    """Return a variant of the program as a fresh module."""
    text = output_at(book(), PROGRAM, name).text
    return load(text, models.HOME / "microgpt.py", f"<microgpt, {name}>")

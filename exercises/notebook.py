"""Marks exercises in the book's notebook, where `%%exercise NAME` heads a cell."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from exercises import judging
from literate.core.document import Document, parse

BOOK = "microgpt.md"


def mark(name: str, cell: str) -> None:
    """Print how the answer in a cell does; nothing of it is left behind.

    A cell without code is filled with what one begins with.
    """
    if _has_code(cell):
        print(judging.report(judging.check_alone(name, cell, _book())))
    else:
        from IPython import get_ipython  # where there are no notebooks, there is none

        start = judging.start(judging.find(name), _book())
        get_ipython().set_next_input(f"%%exercise {name}\n{start}", replace=True)


@cache
def _book() -> Document:
    path = Path(__file__).parent.parent / BOOK
    return parse(path.read_text(encoding="utf-8"), BOOK)


def _has_code(cell: str) -> bool:
    return any(line.strip()[:1] not in ("", "#") for line in cell.splitlines())

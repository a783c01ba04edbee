"""Problems of a document, and how they are shown to the person who can mend them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import NamedTuple

_MANY = 1000  # words among which no likeness is looked for any more


class Fault(NamedTuple):
    """What is wrong in a line: from which column (from 0), how long, what to do."""

    start: int
    length: int
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a document, as plain data.

    `file` is the document's name, `line` and `column` count from 1 (in characters),
    `source` is that line without its ending, `length` the number of characters at
    fault, and `hint`, perhaps empty, says what to do; `detail` holds more lines, such
    as a difference.
    """

    file: str
    line: int
    column: int
    message: str
    source: str
    length: int
    hint: str = ""
    detail: str = ""

    def render(self) -> str:
        """Return the lines that a terminal shows: place, source line, caret, hint."""
        place = f"{self.file}:{self.line}:{self.column}: error: {self.message}"
        start = self.column - 1
        margin = "".join(
            "\t" if character == "\t" else " " * _width(character)
            for character in self.source[:start]
        )
        marked = self.source[start : start + self.length]
        caret = "^" * max(1, sum(map(_width, marked)))
        shown = [place, f"  {_printable(self.source)}", f"  {margin}{caret}"]
        if self.hint:
            shown.append(f"  hint: {self.hint}")
        shown += [f"  {_printable(line)}" for line in self.detail.splitlines()]
        return "\n".join(shown)

    def as_json(self) -> str:
        """Return the problem for tools: a JSON object on one line."""
        return json.dumps(asdict(self))


class DocumentError(Exception):
    """All problems of one document, in the order of their places."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.line, p.column))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(problem.render() for problem in self.problems)

    def as_json(self) -> str:
        """Return the problems for tools: a JSON object on a line for each."""
        return "\n".join(problem.as_json() for problem in self.problems)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the one of `words` most like `word`, or None if none is much like it.

    Among very many words none is looked for: that would take longer than to read.
    """
    by_folded = {candidate.casefold(): candidate for candidate in words}
    if len(by_folded) > _MANY:
        return None
    found = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.7)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return the hint that names the nearest of `words`, "" if none is near."""
    near = nearest(word, words)
    return f'did you mean "{near}"?' if near else ""


def _width(character: str) -> int:
    """Return how many columns of a terminal a character takes."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _printable(source: str) -> str:
    """Return a source line that cannot command the terminal."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if c < " " and c != "\t" else c for c in source
    )

"""The sessions and transcripts of a document: what is typed, and what is shown.

A `pycon` block is a session with Python, in the form that doctest reads, with doctest's
own options in comments; a `console` block is a transcript of commands, each after `$ `.
An example prints exactly what is shown, but for these options.
"""

from __future__ import annotations

import doctest
import re
from dataclasses import dataclass, field
from itertools import takewhile

from literate.core.diagnostics import Problem
from literate.core.document import Document, Heading
from literate.core.interpreter import Checker

PYCON, CONSOLE = "pycon", "console"


@dataclass(eq=False)
class Session:
    """A block of examples: its `kind`, `pycon` or `console`, and its `chapter`.

    `line` is the number of its fence, from 1; that is also the index in the document of
    the first of its `lines`, which have no endings. The `lineno` of an example is an
    index in the document too. The `source` of a transcript's example is its command.
    """

    kind: str
    line: int
    lines: list[str]
    chapter: Heading | None
    examples: list[doctest.Example] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What a report or a test calls the session."""
        chapter = self.chapter.text if self.chapter else "before the first chapter"
        return f"{chapter}, line {self.line}"

    def shown(self, example: doctest.Example) -> range:
        """Return the indices of the lines that show what an example prints."""
        start = example.lineno + 1
        if self.kind == PYCON:
            rest = self.lines[start - self.line :]
            start += len([*takewhile(_goes_on, rest)])
        return range(start, start + example.want.count("\n"))


def find_sessions(document: Document) -> tuple[list[Session], list[Problem]]:
    """Return a document's sessions, and what is wrong in how they are written."""
    sessions, problems = [], []
    for block in document.examples:
        kind = block.info.lower().partition(" ")[0]
        if kind not in _READERS:
            continue
        lines = [line.rstrip("\r\n") for line in block.lines]
        session = Session(kind, block.line, lines, block.chapter)
        sessions.append(session)
        try:
            session.examples = _READERS[kind](lines)
        except ValueError as error:
            problems.append(_unreadable(document, session, str(error)))
            continue
        for example in session.examples:
            example.lineno += session.line
        problems += _stray_lines(document, session)
    return sessions, problems


def is_kept(example: doctest.Example, printed: str, error: str | None) -> bool:
    """Tell whether an example did what is shown for it.

    `error` is the last line of the traceback that ended it; None if there is none.
    """
    flags = sum(flag for flag, is_on in example.options.items() if is_on)
    if example.exc_msg is None or error is None:
        is_meant = example.exc_msg is None and error is None
        return is_meant and Checker().check_output(example.want, printed, flags)
    return Checker().check_output(example.exc_msg, error, flags)


def _read_python(lines: list[str]) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples("".join(f"{line}\n" for line in lines))


def _read_commands(lines: list[str]) -> list[doctest.Example]:
    starts = [n for n, line in enumerate(lines) if line.startswith("$ ")]
    return [
        doctest.Example(
            lines[start].removeprefix("$ "),
            "".join(f"{line}\n" for line in lines[start + 1 : end]),
            lineno=start,
        )
        for start, end in zip(starts, [*starts[1:], len(lines)])
    ]


_READERS = {PYCON: _read_python, CONSOLE: _read_commands}


def _goes_on(line: str) -> bool:
    """Tell whether a line goes on with what is typed above it."""
    return line.lstrip().startswith("...")


def _unreadable(document: Document, session: Session, error: str) -> Problem:
    """Return what doctest says about a session that it cannot read."""
    number, message = re.match(r"line (\d+) of the \w+ for \S+ (.*)", error).groups()
    index = session.line + int(number) - 1
    return document.problem(index, 0, 1, f"not a session: {message}")


def _stray_lines(document: Document, session: Session) -> list[Problem]:
    """Return a problem for the first line that belongs to no example."""
    known: set[int] = set()
    for example in session.examples:
        known.update(range(example.lineno, session.shown(example).stop))
    for index, line in enumerate(session.lines, start=session.line):
        if index not in known and line.strip():
            message = "this line belongs to no example, so nothing compares it"
            hint = "show a blank line of output as <BLANKLINE>"
            return [document.problem(index, 0, 1, message, hint)]
    return []

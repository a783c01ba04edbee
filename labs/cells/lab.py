"""The book's sessions as cells, which the reader can change and run in the page.

A chapter's sessions share their names. A session may need the names of those before it,
so these are run first, unseen, as they stand in their own cells.
"""

from __future__ import annotations

import functools

from exercises.edits import EditedBook
from exercises.typed import TypedCode, confined
from labs import LabError
from labs.shared import models
from labs.shared.book import book
from literate.core.sessions import Session, find_sessions, is_kept


class Space:
    """Where a chapter's sessions run: their names, and the program they import.

    `ran` holds the lines of the sessions that have run; `is_books` tells whether each
    was as the book has it.
    """

    def __init__(self, edits: dict[str, str]) -> None:
        self.edits = edits
        self.program = EditedBook(book(), edits).load(models.HOME)
        self.names: dict = {"__name__": "__main__"}
        self.ran: set[int] = set()
        self.is_books = True


_spaces: dict[int, Space] = {}  # by the line of the chapter's first session


def source(line: int) -> str:
    """Return what is typed in the session at a line of the book."""
    return _typed(_session(line))


def run(
    line: int, texts: dict[str, str] | None = None, edits: dict[str, str] | None = None
) -> dict:
    """Run the session at a line of the book.

    `texts` are the sessions that the reader has changed, by line, and `edits` the
    chunks of the program, by name. The result has `output`, `ending` (see
    typed.TypedCode) and `agrees`: whether the book's own session, run with the book's
    own program, prints what the book shows; null for all others.
    """
    session, texts, edits = _session(line), texts or {}, edits or {}
    chapter = [s for s in _sessions().values() if s.chapter is session.chapter]
    until = [s for s in chapter if s.line <= line]
    is_books = all(_text(s, texts) == _typed(s) for s in until)
    space = _spaces.get(chapter[0].line)
    if space and is_books and (line in space.ran or not space.is_books):
        space = None  # so that it prints what the book shows, as often as it is run
    if space is None or space.edits != edits:
        space = _spaces[chapter[0].line] = Space(edits)
    for number, each in enumerate(until, start=1):
        if each.line in space.ran and each is not session:
            continue
        text, is_live = _text(each, texts), each is session
        code = TypedCode(text, f"<cell {number}>", space.program, is_live)
        answer = _run(each, code, space)
        if answer["ending"] == "memory":
            del _spaces[chapter[0].line]
        if answer["ending"] and each is not session:
            note = "An earlier session of this chapter has to run first. It ends so:\n"
            return answer | {"output": note + answer["output"], "agrees": None}
    return answer


def _run(session: Session, code: TypedCode, space: Space) -> dict:
    """Run one session in a space; return what `run` says."""
    examples = session.examples if code.text == _typed(session) else []
    space.ran.add(session.line)
    space.is_books &= bool(examples)
    kept = []
    with confined(space.program, code.screen):
        for place, (printed, error) in enumerate(code.steps(space.names)):
            if examples:
                kept.append(is_kept(examples[place], printed, error))
            if code.ending == "error" and examples and examples[place].exc_msg:
                code.ending = None  # the book goes on after it
            if code.ending:
                break
    return {
        "output": code.output,
        "ending": code.ending,
        "agrees": all(kept) if examples and not space.edits else None,
    }


@functools.cache
def _sessions() -> dict[int, Session]:
    """Return the book's sessions with Python, by their lines."""
    sessions, _ = find_sessions(book())
    return {s.line: s for s in sessions if s.kind == "pycon"}


def _session(line: int) -> Session:
    if line not in _sessions():
        raise LabError("The book has changed since. Reload the page.")
    return _sessions()[line]


def _typed(session: Session) -> str:
    return "".join(example.source for example in session.examples)


def _text(session: Session, texts: dict[str, str]) -> str:
    return texts.get(str(session.line), _typed(session))

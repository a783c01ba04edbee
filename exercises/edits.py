"""The program with chunks that a reader has changed, tangled by the book's own tangler.

An edit is a variant of a chunk, put at the end of the book. What is wrong with it is
said at its line.
"""

from __future__ import annotations

import ast
import contextlib
import re
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from exercises import AnswerError
from exercises.typed import ENDINGS, Flood, last_line
from literate.core.diagnostics import DocumentError, Problem
from literate.core.document import Document, Piece, parse
from literate.core.modules import load, output_at
from literate.core.programs import Output, check_syntax

PROGRAM = "build/microgpt.py"
VARIANT = "reader"
YOURS = "<your microgpt.py>"


class Mistake(AnswerError):
    """The reader's program cannot go on: `places` says where, each as a dict.

    Each has `message`, and `chunk` and `line`: the name of a chunk and the line in it,
    from 1; None where there is none. `shown` has more: the source, and what to do.
    """

    def __init__(self, *places: dict) -> None:
        self.places = [*places]
        super().__init__("Your program: " + "; ".join(p["message"] for p in places))


def text_of(book: Document, pieces: Iterable[Piece]) -> str:
    """Return pieces as they are written in the book."""
    return "".join(
        line for p in pieces for line in book.lines[p.line : p.line + len(p.lines)]
    )


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


def functions(text: str) -> dict[str, ast.FunctionDef]:
    """Return the functions at the left margin of a text, by name."""
    nodes = ast.parse(text).body
    return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}


def is_unwritten(function: ast.FunctionDef) -> bool:
    """Tell whether a function has no body yet: it ends with its docstring or `...`."""
    last = function.body[-1]
    return isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant)


class EditedBook:
    """The book with a reader's chunks at its end, and the program that comes of it."""

    def __init__(self, book: Document, edits: dict[str, str]) -> None:
        """Put in the `edits`, texts by the names of their chunks.

        Raises AnswerError if the book has no chunk of such a name.
        """
        self.edits = edits
        text = "".join(
            [*book.lines, *(_variant(book, *edit) for edit in edits.items())]
        )
        self.document = parse(text, book.name) if edits else book
        self.output: Output | None = None

    def load(self, home: Path) -> ModuleType:
        """Return the program as a fresh module, which takes its files from `home`.

        Raises Mistake if there can be no such program.
        """
        text = self.tangle().text
        with self.explained():
            return load(text, home / "microgpt.py", YOURS if self.edits else "")

    def tangle(self) -> Output:
        """Return the program; raises Mistake if the tangler or Python refuses it."""
        variant = VARIANT if self.edits else None
        try:
            self.output = output_at(self.document, PROGRAM, variant)
            check_syntax([self.output])
        except DocumentError as error:
            raise Mistake(*map(self._explain, error.problems)) from None
        return self.output

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the reader's program ends with into a Mistake."""
        try:
            yield
        except (Mistake, MemoryError):
            raise
        except Flood:
            raise Mistake(_mistake(None, None, ENDINGS["flood"])) from None
        except (Exception, SystemExit) as error:
            raise Mistake(self._explain_error(error)) from None

    def _explain_error(self, error: BaseException) -> dict:
        """Return what an error says, and the reader's line that it comes from."""
        said = last_line(error).strip()
        if isinstance(error, StopIteration):
            said = "train has ended early: it yields fewer losses than there are steps"
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == YOURS]
        if not own:
            return _mistake(None, None, said)
        places = [(*self._place_in_program(frame.lineno), frame.line) for frame in own]
        edited = [place for place in places if place[0] in self.edits]
        name, line, shown = (edited or places)[-1]
        if (name, line) != places[-1][:2]:  # the book's code fails at what it is given
            said += f" (in line {places[-1][1]} of ⟨{places[-1][0]}⟩)"
        return _mistake(name, line, said, shown)

    def _explain(self, problem: Problem) -> dict:
        """Return what the tangler or Python says of a line, and its chunk."""
        name, line = self._place(problem.line - 1)
        if self.output:  # then Python's words are about lines of the program
            message = re.sub(r"\bline (\d+)", self._translate, problem.message)
            problem = replace(problem, message=message, hint="")
        shown = [text[2:] for text in problem.render().split("\n")[1:]]
        return _mistake(name, line, problem.message, "\n".join(shown))

    def _translate(self, match: re.Match[str]) -> str:
        name, line = self._place_in_program(int(match[1]))
        return f"line {line} of ⟨{name}⟩"

    def _place_in_program(self, line: int) -> tuple[str | None, int | None]:
        """Return the chunk, and the line in it, at a line of the program."""
        return self._place(self.output.origin(line).line - 1)

    def _place(self, index: int) -> tuple[str | None, int | None]:
        """Return the chunk, and the line in it, at an index in the document."""
        for piece in self.document.pieces():
            if piece.line <= index < piece.line + len(piece.lines):
                return piece.name, index - piece.line + 1
        return None, None


def _variant(book: Document, name: str, text: str) -> str:
    """Return an edit of a chunk as a block of the document."""
    if name not in book.chunks:
        raise AnswerError(f"The book has no chunk called “{name}”.")
    first = book.chunks[name].pieces[0]
    fence = "`" * (1 + max(map(len, ["``", *re.findall("`+", text)])))
    header = f"{first.leader} <<{name}>>= (variant {VARIANT})"
    return f"\n{fence}{first.language}\n{header}\n{text.rstrip()}\n{fence}\n"


def _mistake(
    name: str | None, line: int | None, message: str, shown: str | None = ""
) -> dict:
    return {"chunk": name, "line": line, "message": message, "shown": shown or ""}

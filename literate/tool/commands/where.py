"""Say where a line of a program comes from, and the other way round.

A PLACE is a file, a line and perhaps a column, as messages have them:
build/microgpt.py:57, or microgpt.md:412:5. It can also be the name of a chunk, or what
a program defines: "Add and multiply", softmax, Value.backward.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator

from literate.core.diagnostics import did_you_mean
from literate.core.document import Document, Piece
from literate.core.programs import Output
from literate.tool.command_line import (
    Parser,
    UsageError,
    output_called,
    tangled,
)
from literate.tool.forms import Form
from literate.tool.positions import root_to_run

_PLACE = re.compile(r"(.+?):(\d+)(?::(\d+))?:?")


def main(path: str, arguments: list[str]) -> int:
    """Print the other side of each place, and its chunk; return the exit status.

    Raises UsageError if a place is none, and DocumentError.
    """
    parser = Parser("where", __doc__)
    parser.add_argument("places", nargs="+", metavar="PLACE")
    options = parser.parse_args(arguments)
    finder = _Finder(*tangled(path), path)
    found = [line for place in options.places for line in finder.find(place)]
    print("\n".join(found))
    return 0


class _Finder:
    """A document and what it makes, the program that has the document's name first."""

    def __init__(
        self, document: Document, made: list[Output | Form], path: str
    ) -> None:
        self.document = document
        programs = [output for output in made if isinstance(output, Output)]
        main = root_to_run(programs, path)
        self.programs = sorted(programs, key=lambda output: output is not main)
        self.forms = [form for form in made if isinstance(form, Form)]

    def find(self, place: str) -> list[str]:
        """Return a line for each place that is the other side of this one."""
        match = _PLACE.fullmatch(place)
        if not match:
            return self._named(place)
        file, line, column = match[1], int(match[2]), match[3] and int(match[3])
        if os.path.abspath(file) == os.path.abspath(self.document.name):
            return self._forwards(line, column)
        output = output_called(file, [*self.programs, *self.forms])
        if isinstance(output, Form):
            return [self._told(output, line)]
        if output:
            return [self._backwards(output, line, column)]
        files = [self.document.name, *(output.path for output in self.programs)]
        message = f"{self.document.name} makes no {file}"
        raise UsageError(message, did_you_mean(file, files))

    def _told(self, form: Form, line: int) -> str:
        """Return whence a line of a form comes."""
        origin = dict(enumerate(form.origins, start=1)).get(line)
        if origin is None:
            raise UsageError(f"no line of the document is known for {form.path}:{line}")
        return f"{self.document.name}:{origin}"

    def _backwards(self, output: Output, line: int, column: int | None) -> str:
        """Return whence a line of an output comes."""
        try:
            origin = output.origin(line, column or 1)
        except IndexError as error:
            raise UsageError(str(error)) from None
        return _shown(
            self.document.name, origin.line, column and origin.column, origin.piece.name
        )

    def _forwards(self, line: int, column: int | None) -> list[str]:
        """Return where a line of the document goes."""
        name = self.document.name
        if not 1 <= line <= len(self.document.lines):
            raise UsageError(f"{name} has no line {line}")
        found = [*self._goes_to(line, column)]
        if not found:
            raise UsageError(f"{name}:{line} is in no program: {self._kind(line)}")
        return found

    def _goes_to(self, line: int, column: int | None) -> Iterator[str]:
        for output in self.programs:
            goes = output.line_of(line)
            if goes is not None:
                shifted = column and column + len(output.span(goes).indent)
                yield _shown(output.path, goes, shifted, output.origin(goes).piece.name)

    def _named(self, name: str) -> list[str]:
        """Return where a chunk is, or what the programs define by this name."""
        chunk = self.document.chunks.get(name)
        pieces = chunk.all_pieces() if chunk else []
        found = [line for piece in pieces for line in self._piece(piece)]
        found += [
            line for output in self.programs for line in self._defined(output, name)
        ]
        if found:
            return [*dict.fromkeys(found)]
        hint = did_you_mean(name, [*self.document.chunks, *self._identifiers()])
        hint = hint or "a place is FILE:LINE, as in build/microgpt.py:57"
        raise UsageError(f'nothing is called "{name}"', hint)

    def _piece(self, piece: Piece) -> Iterator[str]:
        variant = f" (variant {piece.variant})" if piece.variant else ""
        yield _shown(self.document.name, piece.line, None, f"{piece.name}{variant}")
        yield from self._goes_to(piece.line + 1, None)

    def _defined(self, output: Output, name: str) -> Iterator[str]:
        for line in _definitions(output).get(name, []):
            yield self._backwards(output, line, None)
            yield _shown(output.path, line, None, output.origin(line).piece.name)

    def _identifiers(self) -> list[str]:
        return [name for output in self.programs for name in _definitions(output)]

    def _kind(self, line: int) -> str:
        for piece in self.document.pieces():
            if piece.line == line:
                return f'the header of "{piece.name}"'
            if piece.line < line <= piece.line + len(piece.lines):
                return f"it belongs to the variant {piece.variant}"
        return "it is in no chunk"


def _definitions(output: Output) -> dict[str, list[int]]:
    """Return the lines where functions, classes, methods and globals are defined."""
    found: dict[str, list[int]] = {}
    if not output.is_python:
        return found
    waiting = [("", node) for node in ast.parse(output.text).body]
    for prefix, node in waiting:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.setdefault(prefix + node.name, []).append(node.lineno)
        if isinstance(node, ast.ClassDef):
            waiting += [(f"{prefix}{node.name}.", child) for child in node.body]
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in ast.walk(node):
                if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                    found.setdefault(prefix + target.id, []).append(target.lineno)
    return found


def _shown(file: str, line: int, column: int | None, what: str) -> str:
    return f"{file}:{line}" + (f":{column}" if column else "") + f"  {what}"

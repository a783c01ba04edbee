"""Say where a line of a program comes from, or where a line of the document goes.

usage: python tangle.py [DOCUMENT.md] where PLACE...

A PLACE is a file, a line and perhaps a column, as messages have them:
build/microgpt.py:57, or microgpt.md:412:5.
"""

from __future__ import annotations

import os
import re

from literate.core.diagnostics import nearest
from literate.core.document import Document
from literate.core.programs import Output, tangle
from literate.tool.command_line import UsageError, parse_options, read_document

_PLACE = re.compile(r"(.+?):(\d+)(?::(\d+))?:?")


def main(path: str, arguments: list[str]) -> int:
    """Print the other side of each place, and its chunk; return the exit status.

    Raises UsageError if a place is none, and DocumentError.
    """
    options = parse_options(arguments, __doc__)
    if not options.others:
        raise UsageError("where needs a place, such as build/microgpt.py:57")
    document = read_document(path)
    outputs = tangle(document)
    found = [_other_side(document, outputs, place) for place in options.others]
    for line in found:
        print(line)
    return 0


def _other_side(document: Document, outputs: list[Output], place: str) -> str:
    match = _PLACE.fullmatch(place)
    if not match:
        message = f"{place} is no place; write FILE:LINE, as in build/microgpt.py:57"
        raise UsageError(message)
    file, line, column = match[1], int(match[2]), match[3] and int(match[3])
    if _same(file, document.name):
        return _forwards(document, outputs, line, column)
    for output in outputs:
        name = output.path.split("/", 1)[1]
        if file.replace(os.sep, "/") in (output.path, name) or _ends(file, output.path):
            return _backwards(output, line, column)
    near = nearest(file, [document.name, *(output.path for output in outputs)])
    hint = f"; did you mean {near}?" if near else ""
    raise UsageError(f"{document.name} makes no {file}{hint}")


def _backwards(output: Output, line: int, column: int | None) -> str:
    """Return whence a line of an output comes."""
    try:
        origin = output.origin(line, column or 1)
    except IndexError as error:
        raise UsageError(str(error)) from None
    place = f"{output.document.name}:{origin.line}"
    if column:
        place += f":{origin.column}"
    return f"{place}  {origin.piece.name}"


def _forwards(
    document: Document, outputs: list[Output], line: int, column: int | None
) -> str:
    """Return where a line of the document goes."""
    if not 1 <= line <= len(document.lines):
        raise UsageError(f"{document.name} has no line {line}")
    for output in outputs:
        goes = output.line_of(line)
        if goes is None:
            continue
        origin = output.origin(goes)
        place = f"{output.path}:{goes}"
        if column:
            place += f":{max(1, column + _shift(output, goes))}"
        return f"{place}  {origin.piece.name}"
    raise UsageError(
        f"{document.name}:{line} is in no program: {_kind(document, line)}"
    )


def _shift(output: Output, line: int) -> int:
    """Return how many columns an output's line stands right of the document's."""
    source = output.document.lines[output.origin(line).line - 1]
    text = output.text.splitlines()[line - 1]
    return (len(text) - len(text.lstrip())) - (len(source) - len(source.lstrip()))


def _kind(document: Document, line: int) -> str:
    for chunk in document.chunks.values():
        for piece in chunk.all_pieces():
            if piece.line == line:
                return f'the header of "{piece.name}"'
            if piece.line < line <= piece.line + len(piece.lines):
                return f"it belongs to the variant {piece.variant}"
    return "it is in no chunk"


def _same(file: str, other: str) -> bool:
    return os.path.abspath(file) == os.path.abspath(other)


def _ends(file: str, path: str) -> bool:
    return os.path.abspath(file).replace(os.sep, "/").endswith(f"/{path}")

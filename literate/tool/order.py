"""The document in an order that runs: its text as it stands, and the program's parts.

A part is a piece of the program's top level, whole: what one reference in the root
stands for. Parts keep the program's order. Each is told where the book first defines
its chunk, unless the program needs it earlier; then it is told just before what needs
it. What belongs to no chunk of the book comes last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from literate.core.blocks import Block, Fence, Heading, Html, split_lines
from literate.core.document import Document, Piece
from literate.core.programs import Output
from literate.core.syntax import names_in

_ELEMENT = re.compile(r"<(/?)(?:div|details|figure)\b")

Section = list[Block]  # a heading, and the blocks up to the next one


class Line(NamedTuple):
    """A line of a form; its `origin` is a line of the document, from 1, or None."""

    text: str
    origin: int | None = None


@dataclass
class Part:
    """Lines of the program's top level; `name` is their chunk's, "" if they have none.

    Blank lines around them are left out.
    """

    name: str
    lines: list[Line]


def retell(
    output: Output, is_told: Callable[[Section], bool]
) -> Iterator[Block | Part]:
    """Yield the blocks of a document and the parts of its program, in running order.

    Of a section that is not told, only the heading is yielded, and that only if a
    section under it is told. In the place of the chunks that they are, parts are
    yielded; and an element of HTML is one block with all that it holds.
    """
    waiting = parts(output)
    pieces = pieces_of(output.document)
    for block in _told(_sections(output.document), is_told):
        piece = pieces.get(block.start)
        name = piece.name if piece and not piece.variant else None
        names = [part.name for part in waiting] if name else []
        if name in names:
            count = names.index(name) + 1
            yield from waiting[:count]
            del waiting[:count]
        else:
            yield block
    yield from waiting


def pieces_of(document: Document) -> dict[int, Piece]:
    """Return the pieces of all chunks, by the first lines of their blocks, from 0."""
    return {piece.line - 2: piece for piece in document.pieces()}


def _told(
    sections: list[Section], is_told: Callable[[Section], bool]
) -> Iterator[Block]:
    """Yield the blocks of sections that are told, and the headings above them."""
    for number, section in enumerate(sections):
        if is_told(section):
            yield from section
        elif any(map(is_told, _below(sections, number))):
            yield section[0]


def _below(sections: list[Section], number: int) -> Iterator[Section]:
    """Return the sections under the heading of the one with this number, from 0."""
    level = _level(sections[number])
    return takewhile(lambda other: _level(other) > level, sections[number + 1 :])


def _level(section: Section) -> int:
    return section[0].level if isinstance(section[0], Heading) else 1


def _sections(document: Document) -> list[Section]:
    sections: list[Section] = []
    for block in _whole(document):
        if isinstance(block, Heading) or not sections:
            sections.append([])
        sections[-1].append(block)
    return sections


def _whole(document: Document) -> Iterator[Block]:
    """Yield a document's blocks, an element of HTML with all that it holds as one."""
    start = depth = 0
    for block in document.blocks:
        if isinstance(block, Html):
            start = start if depth else block.start
            text = "".join(document.lines[block.start : block.end])
            depth += sum(-1 if end else 1 for end in _ELEMENT.findall(text))
            if not depth:
                yield Html(start, block.end)
        elif not depth:
            yield block


def parts(output: Output) -> list[Part]:
    """Return a program's top level: its chunks, whole, and what stands between."""
    lines = program_lines(output)
    starts = _starts(output, lines)
    ends = [start for start, _ in starts[1:]] + [len(lines)]
    return [
        Part(name, _stripped(lines[start:end]))
        for (start, name), end in zip(starts, ends)
    ]


def program_lines(output: Output) -> list[Line]:
    """Return the lines of a program."""
    lines = split_lines(output.text)
    return [
        Line(lines[span.line + index].rstrip("\r\n"), span.source + index + 1)
        for span in output.spans
        for index in range(span.count)
    ]


def _starts(output: Output, lines: list[Line]) -> list[tuple[int, str]]:
    """Return the first line, from 0, and the name of each part."""
    document = output.document
    starts: list[tuple[int, str]] = []
    for span in output.spans:
        if document.chunks[span.piece.name].path != output.path:
            continue
        if span.is_reference:
            reference = document.lines[span.source]
            if not reference[0].isspace():
                starts.append((span.line, names_in(reference)[0]))
        elif starts:  # what opens the file belongs to the first part
            numbers = range(span.line, span.line + span.count)
            inked = [number for number in numbers if lines[number].text.strip()]
            if inked and not lines[inked[0]].text[0].isspace():
                starts.append((inked[0], ""))
    return [(0, starts[0][1]), *starts[1:]] if starts else [(0, "")]


def _stripped(lines: list[Line]) -> list[Line]:
    """Return lines without the blank ones around them."""
    inked = [n for n, line in enumerate(lines) if line.text.strip()]
    return lines[inked[0] : inked[-1] + 1] if inked else []


def source(document: Document, block: Block) -> list[Line]:
    """Return a block's lines of Markdown, without their endings."""
    return [
        Line(document.lines[index].rstrip("\r\n"), index + 1)
        for index in range(block.start, block.end)
    ]


def texts(lines: list[Line]) -> list[str]:
    """Return lines without their origins."""
    return [line.text for line in lines]


def contents(document: Document, fence: Fence) -> list[Line]:
    """Return the lines in a fenced block, without their endings."""
    return source(document, fence)[1 : fence.last - fence.start]


def is_chapter(block: Block) -> bool:
    """Tell whether a block is the heading of a part or a chapter."""
    return isinstance(block, Heading) and block.level <= 2

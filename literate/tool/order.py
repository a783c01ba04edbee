"""The document in an order that runs: the prose as it stands, and the program's parts.

A part is a piece of the program's top level, whole: what one reference in the root
stands for. Parts keep the program's order. Each is told where the book first defines
its chunk, unless the program needs it earlier; then it is told just before what needs
it. What belongs to no chunk of the book comes last.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator
from functools import lru_cache

from literate.core.blocks import Block, Fence, Heading, split_lines
from literate.core.document import Chunk, Document, Piece
from literate.core.programs import Output
from literate.core.syntax import names_in

PROSE, PART, SESSION, SHOWN = "prose", "part", "session", "shown"


class Part(namedtuple("Part", "name text")):
    """Lines of the program's top level; `name` is their chunk's, "" if they have none.

    Blank lines around them are left out.
    """

    __slots__ = ()


class Item(namedtuple("Item", "kind block part piece", defaults=[None] * 3)):
    """Something to tell: a `block` of the document, or a `part` of the program.

    `kind` is PROSE, PART, SESSION (a `pycon` block) or SHOWN: any other fenced block,
    with the `piece` in it if it is one.
    """

    __slots__ = ()


@lru_cache(maxsize=1)
def retell(output: Output) -> list[Item]:
    """Return a document and one of its programs, in an order that runs."""
    return list(_retell(output))


def _retell(output: Output) -> Iterator[Item]:
    document = output.document
    waiting = parts(output)
    waiting.reverse()
    names = {part.name for part in waiting if part.name}
    pieces = {piece.line: piece for piece in document.pieces()}
    for block in document.blocks:
        if not isinstance(block, Fence):
            yield Item(PROSE, block)
            continue
        piece = pieces.get(block.start + 2)
        if piece is None:
            is_session = block.info.lower().split()[:1] == ["pycon"]
            yield Item(SESSION if is_session else SHOWN, block)
        elif piece.variant is None and piece.name in names:
            names.remove(piece.name)
            for _ in range(_place(waiting, piece.name)):
                yield Item(PART, part=waiting.pop())
        elif piece.variant is not None or not _is_root(document, piece):
            yield Item(SHOWN, block, piece=piece)
    for part in reversed(waiting):
        yield Item(PART, part=part)


def _place(waiting: list[Part], name: str) -> int:
    """Return how many parts have to be told so that one of this name is."""
    names = [part.name for part in reversed(waiting)]
    return names.index(name) + 1 if name in names else 0


def _is_root(document: Document, piece: Piece) -> bool:
    return document.chunks[piece.name].path is not None


def parts(output: Output) -> list[Part]:
    """Return a program's top level: its chunks, whole, and what stands between."""
    document = output.document
    root = _root(document, output.path)
    lines = split_lines(output.text)
    starts: list[tuple[int, str]] = []
    for span in output.spans:
        if not any(span.piece is piece for piece in root.pieces):
            continue
        if span.is_reference:
            reference = document.lines[span.source]
            if not reference[0].isspace():
                starts.append((span.line, names_in(reference)[0]))
            continue
        for number in range(span.line, span.line + span.count):
            line = lines[number]
            if not line.isspace():
                if starts and not line[0].isspace():  # what opens the file stays so
                    starts.append((number, ""))
                break
    if not starts:
        return [Part("", output.text.strip("\r\n"))]
    starts[0] = (0, starts[0][1])
    ends = [start for start, _ in starts[1:]] + [len(lines)]
    return [
        Part(name, "".join(lines[start:end]).strip("\r\n"))
        for (start, name), end in zip(starts, ends)
    ]


def _root(document: Document, path: str) -> Chunk:
    return next(chunk for chunk in document.chunks.values() if chunk.path == path)


def source(document: Document, block: Block) -> str:
    """Return a block's Markdown, with newlines for line endings."""
    text = "".join(document.lines[block.start : block.end])
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def contents(document: Document, fence: Fence) -> list[str]:
    """Return the lines in a fenced block, without their endings and its indentation."""
    lines = document.lines[fence.start + 1 : fence.last]
    return [line.rstrip("\r\n") for line in lines]


def is_chapter(block: Block | None) -> bool:
    """Tell whether a block is the heading of a part or a chapter."""
    return isinstance(block, Heading) and block.level <= 2


def plain_html(text: str) -> str:
    """Return an HTML block without the tags that fold solutions away."""
    shown = []
    for line in text.split("\n"):
        bare = line.strip()
        if bare.startswith("<summary>") and bare.endswith("</summary>"):
            shown.append(f"*{bare[9:-10]}*")
        elif bare not in ("<details>", "</details>"):
            shown.append(line)
    return "\n".join(shown).strip("\n")

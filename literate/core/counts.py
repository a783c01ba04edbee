"""How long the chapters of a document are, in words and in lines of code."""

from __future__ import annotations

from collections.abc import Iterable

from literate.core.blocks import Block, Fence, Heading, Html
from literate.core.document import Document, Piece


def count_chapters(document: Document) -> list[tuple[str, int, int]]:
    """Return each chapter's title, lines of code and words of prose, in order.

    What stands before the first chapter, or between a part's heading and the next
    chapter, is counted under the part's own title. A line of code is one of the default
    program's that is not blank; headers, references and data are none. Words of prose
    are those outside of fenced blocks and HTML.
    """
    counts = [[document.name, 0, 0]]
    pieces = {piece.line: piece for piece in document.pieces() if not piece.variant}
    for block in document.blocks:
        if isinstance(block, Heading) and block.level <= 2:
            counts.append([block.text, 0, 0])
        if isinstance(block, Fence):
            counts[-1][1] += _code_lines(pieces.get(block.start + 2))
        else:
            counts[-1][2] += _words(document, block)
    return [tuple(count) for count in counts if count[1:] != [0, 0]]


def reading_minutes(document: Document, blocks: Iterable[Block]) -> float:
    """Return how long some blocks of a document take to be read, in minutes.

    The rule: 200 words a minute, 8 seconds a line of code, 4 seconds a line of an
    example, 30 seconds a formula or a diagram. Data is not read, and exercises and labs
    take as long as one likes.
    """
    pieces = {piece.line: piece for piece in document.pieces()}
    seconds = 0.0
    for block in blocks:
        if not isinstance(block, Fence):
            seconds += _words(document, block) * 60 / 200
        elif block.info in ("math", "mermaid"):
            seconds += 30
        elif block.start + 2 in pieces:
            seconds += _code_lines(pieces[block.start + 2]) * 8
        else:
            lines = document.lines[block.start + 1 : block.last]
            seconds += sum(not line.isspace() for line in lines) * 4
    return seconds / 60


def _words(document: Document, block: Block) -> int:
    """Return the number of words in a block of prose; HTML has none."""
    if isinstance(block, Html):
        return 0
    text = "".join(document.lines[block.start : block.end])
    return sum(any(map(str.isalnum, word)) for word in text.split())


def _code_lines(piece: Piece | None) -> int:
    if piece is None or piece.is_data:
        return 0
    filled = sum(not line.isspace() for line in piece.lines)
    return filled - len(piece.references)

"""How long the chapters of a document are, in words and in lines of code."""

from __future__ import annotations

from literate.core.blocks import Fence, Heading, Html
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
        elif not isinstance(block, Html):
            text = "".join(document.lines[block.start : block.end])
            counts[-1][2] += sum(any(map(str.isalnum, word)) for word in text.split())
    return [tuple(count) for count in counts if count[1:] != [0, 0]]


def _code_lines(piece: Piece | None) -> int:
    if piece is None or piece.is_data:
        return 0
    filled = sum(not line.isspace() for line in piece.lines)
    return filled - len(piece.references)

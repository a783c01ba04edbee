"""What a document holds, in two tables: its chunks, and how long its chapters are."""

from __future__ import annotations

from literate.core.counts import count_chapters
from literate.core.document import Chunk, Document, Piece


def listing(document: Document) -> str:
    """Return the chunks of a document, then the lines and words of its chapters."""
    chunks = _columns([("chunk", "lines", "defined", "used"), *_chunk_rows(document)])
    chapters = _columns([("chapter", "code", "words"), *_chapter_rows(document)])
    return f"{chunks}\n{chapters}"


def _chapter_rows(document: Document) -> list[tuple[str, str, str]]:
    counts = count_chapters(document)
    counts.append(
        ("total", sum(row[1] for row in counts), sum(row[2] for row in counts))
    )
    return [(title, f"{code:,}", f"{words:,}") for title, code, words in counts]


def _chunk_rows(document: Document) -> list[tuple[str, str, str, str]]:
    used: dict[str, list[int]] = {}
    for chunk in document.chunks.values():
        for piece in chunk.all_pieces():
            for reference in piece.references:
                line = piece.line + reference.index + 1
                used.setdefault(reference.name, []).append(line)
    rows = []
    for chunk in document.chunks.values():
        rows.append(_chunk_row(chunk, used.get(chunk.name, [])))
        for variant, pieces in chunk.variants.items():
            rows.append((f"  variant {variant}", *_size_and_place(pieces), ""))
    return rows


def _chunk_row(chunk: Chunk, used: list[int]) -> tuple[str, str, str, str]:
    use = "root" if chunk.path else ", ".join(map(str, sorted(used)))
    return (chunk.name, *_size_and_place(chunk.pieces), use)


def _size_and_place(pieces: list[Piece]) -> tuple[str, str]:
    """Return the number of lines in the pieces, and the lines where they begin."""
    lines = f"{sum(len(piece.lines) for piece in pieces):,}"
    return lines, ", ".join(str(piece.line) for piece in pieces)


def _columns(rows: list[tuple[str, ...]]) -> str:
    """Return rows as text: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    shown = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1])]
        for cell, width in zip(row[2:], widths[2:], strict=True):
            number = len(row) == 3  # the chapters' words; places are text
            cells.append(cell.rjust(width) if number else cell.ljust(width))
        shown.append("  ".join(cells).rstrip() + "\n")
    return "".join(shown)

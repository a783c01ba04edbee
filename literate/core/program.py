"""From chunks to programs: put the pieces together, and keep where lines come from."""

from __future__ import annotations

from bisect import bisect_right
from collections import namedtuple

from literate.core.checks import check
from literate.core.diagnostics import DocumentError, Problem
from literate.core.document import Chunk, Document, Piece, Reference


class Span(namedtuple("Span", "line source count indent piece is_comment")):
    """A run of `count` lines of an output that are a run of lines of the document.

    `line` and `source` are the first line in the output and in the document, from 0;
    `indent` was added to each line; `is_comment` marks a reference become a comment.
    """

    __slots__ = ()


class Origin(namedtuple("Origin", "line column piece")):
    """A place in the document, both from 1, and the piece of a chunk it is in."""

    __slots__ = ()


class Output:
    """A tangled file: its `path`, `build/...`, its `text`, and whence its lines come.

    `spans` covers every line, in order, and no line of the document twice.
    """

    key = None  # another form of a program has one

    def __init__(
        self, document: Document, path: str, lines: list[str], spans: list[Span]
    ) -> None:
        self.document = document
        self.path = path
        self.text = "".join(lines)
        self.spans = spans
        self._starts = [span.line for span in spans]
        self._by_source: list[Span] = []
        self._sources: list[int] = []

    def origin(self, line: int, column: int = 1) -> Origin:
        """Return where a line and column, from 1, of the output come from.

        Raises IndexError if the output has no such line.
        """
        place = bisect_right(self._starts, line - 1) - 1
        span = self.spans[place] if place >= 0 else None
        if line < 1 or span is None or line > span.line + span.count:
            raise IndexError(f"{self.path} has no line {line}")
        index = span.source + line - 1 - span.line
        source = self.document.lines[index]
        taken = len(source) - len(span.piece.lines[index - span.piece.start])
        column = max(1, column - len(span.indent) + taken)
        return Origin(
            index + 1, min(column, len(source.rstrip("\r\n")) + 1), span.piece
        )

    def line_of(self, source: int) -> int | None:
        """Return the output's line that comes from a line of the document, both from 1.

        None if that line is not in this output.
        """
        if not self._by_source:
            self._by_source = sorted(self.spans, key=lambda span: span.source)
            self._sources = [span.source for span in self._by_source]
        place = bisect_right(self._sources, source - 1) - 1
        if place < 0:
            return None
        span = self._by_source[place]
        offset = source - 1 - span.source
        return span.line + offset + 1 if offset < span.count else None


def tangle(document: Document, variant: str | None = None) -> list[Output]:
    """Return the programs in a document, one for each root, in order of definition.

    With `variant`, its pieces replace the chunks that have them. Raises DocumentError
    with every problem of the document, and ValueError if it has no such variant.
    Whether Python can read the outputs is for `check_syntax`.
    """
    if variant is not None and variant not in document.variants:
        raise ValueError(f"{document.name} has no variant {variant}")
    problems = [*document.problems, *check(document)]
    if problems:
        raise DocumentError(problems)
    roots = [chunk for chunk in document.chunks.values() if chunk.path]
    return [_compose(document, root, variant) for root in roots]


def check_syntax(outputs: list[Output]) -> None:
    """Compile the outputs that end in .py, and run nothing.

    Raises DocumentError with the first thing wrong in each, at the document's line.
    """
    python = [output for output in outputs if output.path.endswith(".py")]
    problems = [problem for output in python for problem in _syntax_problems(output)]
    if problems:
        raise DocumentError(problems)


def _compose(document: Document, root: Chunk, variant: str | None) -> Output:
    lines: list[str] = []
    spans: list[Span] = []
    # Runs of lines still to be put out, the next one last: nesting costs no recursion.
    waiting = _runs(root, "", variant)
    while waiting:
        piece, first, last, indent, reference = waiting.pop()
        start = len(lines)
        if reference:
            deeper = indent + reference.indent
            lines.append(deeper + reference.comment)
            waiting += _runs(document.chunks[reference.name], deeper, variant)
        else:
            run = piece.lines[first:last]
            if indent:
                run = [line if line.isspace() else indent + line for line in run]
            lines += run
        is_comment = reference is not None
        source = piece.start + first
        spans.append(Span(start, source, last - first, indent, piece, is_comment))
    return Output(document, root.path, lines, spans)


def _runs(
    chunk: Chunk, indent: str, variant: str | None
) -> list[tuple[Piece, int, int, str, Reference | None]]:
    """Return a chunk's runs of plain lines and its references, the last one first."""
    runs = []
    for piece in chunk.pieces_in(variant):
        first = 0
        for reference in piece.references:
            index = reference.index
            if index > first:
                runs.append((piece, first, index, indent, None))
            runs.append((piece, index, index + 1, indent, reference))
            first = index + 1
        if first < len(piece.lines):
            runs.append((piece, first, len(piece.lines), indent, None))
    runs.reverse()
    return runs


def _syntax_problems(output: Output) -> list[Problem]:
    """Return what keeps a Python output from being compiled: one problem or none."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(output.text.encode(), output.path, "exec", dont_inherit=True)
    except SyntaxError as error:
        line, column, message = error.lineno or 1, error.offset or 1, error.msg
    except (ValueError, OverflowError, RecursionError, MemoryError) as error:
        line, column, message = 1, 1, str(error) or "too deeply nested"
    else:
        return []
    last = output.spans[-1].line + output.spans[-1].count
    origin = output.origin(max(1, min(line, last)), max(1, column))
    return [
        output.document.problem(
            origin.line - 1,
            origin.column - 1,
            1,
            f"not Python: {message}",
            f"this is line {line} of {output.path}",
        )
    ]

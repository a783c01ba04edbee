"""From chunks to programs: put the pieces together, and keep where lines come from."""

from __future__ import annotations

import warnings
from bisect import bisect_right
from operator import attrgetter
from typing import NamedTuple

from literate.core.checks import check
from literate.core.diagnostics import DocumentError, Problem
from literate.core.document import Chunk, Document, Piece, Reference


class Span(NamedTuple):
    """A run of `count` lines of an output that are a run of lines of the document.

    `line` and `source` are the first line in the output and in the document, from 0;
    `indent` was added to each line; `is_reference` marks a reference, which has become
    a comment, or nothing where its chunk names itself.
    """

    line: int
    source: int
    count: int
    indent: str
    piece: Piece
    is_reference: bool


class Origin(NamedTuple):
    """A place in the document, both from 1, and the piece of a chunk it is in."""

    line: int
    column: int
    piece: Piece


class Output:
    """A tangled file: its `path`, `build/...`, its `text`, and whence its lines come.

    `spans` covers every line, in order, and no line of the document twice.
    """

    def __init__(self, document: Document, path: str) -> None:
        self.document = document
        self.path = path
        self.text = ""
        self.spans: list[Span] = []

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @property
    def last_line(self) -> int:
        """The number of lines."""
        return self.spans[-1].line + self.spans[-1].count if self.spans else 0

    def span(self, line: int) -> Span:
        """Return the span of a line, from 1; IndexError if there is no such line."""
        if not 1 <= line <= self.last_line:
            raise IndexError(f"{self.path} has no line {line}")
        return self.spans[
            bisect_right(self.spans, line - 1, key=attrgetter("line")) - 1
        ]

    def origin(self, line: int, column: int = 1) -> Origin:
        """Return where a line and column, from 1, of the output come from.

        Raises IndexError if the output has no such line.
        """
        span = self.span(line)
        source = span.source + line - span.line
        length = len(self.document.lines[source - 1].rstrip("\r\n"))
        column = min(max(1, column - len(span.indent)), length + 1)
        return Origin(source, column, span.piece)

    def problem(
        self, line: int, column: int, length: int, message: str, hint: str = ""
    ) -> Problem:
        """Return a problem at a line and column, from 1, in the document.

        What reads an output may see its end one line behind the last.
        """
        origin = self.origin(min(line, self.last_line), column)
        place = origin.line - 1, origin.column - 1
        return self.document.problem(*place, length, message, hint)

    def line_of(self, source: int) -> int | None:
        """Return the output's line that comes from a line of the document, both from 1.

        A reference that is no comment leads to the first line of what it stands for.
        None if the document's line is not in this output.
        """
        for span in self.spans:
            offset = source - 1 - span.source
            if 0 <= offset < max(1, span.count):
                return span.line + offset + 1
        return None


def tangle(document: Document, variant: str | None = None) -> list[Output]:
    """Return the programs in a document, one for each root, in order of definition.

    With `variant`, its pieces replace the chunks that have them, and only programs that
    it changes are returned, with the data of the document, which they may read. Raises
    DocumentError with every problem of the document, and ValueError if it has no such
    variant. Whether Python can read the outputs is for `check_syntax`.
    """
    if variant is not None and variant not in document.variants:
        raise ValueError(f"{document.name} has no variant {variant}")
    problems = [*document.problems, *check(document)]
    if problems:
        raise DocumentError(problems)
    outputs = [_Composer(document, root, variant) for root in document.roots]
    return [made.output for made in outputs if made.is_wanted]


def check_syntax(outputs: list[Output]) -> None:
    """Compile the outputs that end in .py, and run nothing.

    Raises DocumentError with the first thing wrong in each, at the document's line.
    """
    python = [output for output in outputs if output.is_python]
    problems = [problem for output in python for problem in _syntax_problems(output)]
    if problems:
        raise DocumentError(problems)


class _Composer:
    """Puts one output together; `is_wanted` tells whether the variant is seen in it."""

    def __init__(self, document: Document, root: Chunk, variant: str | None) -> None:
        self.chunks, self.variant = document.chunks, variant
        self.output = Output(document, root.path)
        self.is_wanted = variant is None or root.pieces[0].is_data
        self.lines: list[str] = []
        # Runs of lines still to be put out, the next one last: no recursion is needed.
        self.waiting = self._runs(root, "")
        while self.waiting:
            self._put(*self.waiting.pop())
        self.output.text = "".join(self.lines)

    def _put(
        self,
        piece: Piece,
        first: int,
        last: int,
        indent: str,
        reference: Reference | None,
    ) -> None:
        start = len(self.lines)
        if reference:
            deeper = indent + reference.indent
            chunk = self.chunks[reference.name]
            if not chunk.has_own_name(self.variant):
                comment = f"{deeper}{piece.leader} {reference.name}{reference.ending}"
                self.lines.append(comment)
            self.waiting += self._runs(chunk, deeper)
        elif indent:
            run = piece.lines[first:last]
            self.lines += [line if line.isspace() else indent + line for line in run]
        else:
            self.lines += piece.lines[first:last]
        count, source = len(self.lines) - start, piece.line + first
        span = Span(start, source, count, indent, piece, reference is not None)
        self.output.spans.append(span)

    def _runs(self, chunk: Chunk, indent: str) -> list[tuple]:
        """Return a chunk's runs of plain lines and its references, the last first."""
        self.is_wanted |= self.variant in chunk.variants
        runs = []
        for piece in chunk.pieces_in(self.variant):
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
    line = min(line, output.last_line)
    hint = f"this is line {line} of {output.path}{_put_here(output, line)}"
    return [output.problem(line, column, 1, f"not Python: {message}", hint)]


def _put_here(output: Output, line: int) -> str:
    """Return which reference has put a chunk's first line here, "" if it is no such."""
    for place, span in enumerate(output.spans):
        if span.line == line - 1 and place and output.spans[place - 1].is_reference:
            reference = output.spans[place - 1].source + 1
            return f", put there by the reference at line {reference}"
    return ""

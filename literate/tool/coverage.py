"""A plug-in of coverage.py that reports on literate documents.

With `plugins = ["literate.tool.coverage"]` in its settings, `coverage run tangle.py
run` measures the program, and `coverage report` names the document's lines. The program
that `run` compiles has its positions there already, so only the reporting is left:
which lines of the Markdown are code.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType

import coverage

from literate.core.programs import tangle
from literate.tool.command_line import read_document
from literate.tool.positions import compile_output, root_to_run


class Documents(coverage.CoveragePlugin):
    """Claims the files that end in .md."""

    def file_tracer(self, filename: str) -> coverage.FileTracer | None:
        return Tracer(filename) if filename.endswith(".md") else None

    def file_reporter(self, filename: str) -> coverage.FileReporter:
        return Reporter(filename)


class Tracer(coverage.FileTracer):
    """Says that a document's code comes from the document."""

    def __init__(self, filename: str) -> None:
        self.filename = filename

    def source_filename(self) -> str:
        return self.filename


class Reporter(coverage.FileReporter):
    """Knows which lines of a document could be run."""

    def lines(self) -> set[int]:
        """Return the lines, from 1, that hold code. Raises DocumentError."""
        document = read_document(self.filename)
        output = root_to_run(tangle(document), self.filename)
        if output is None:
            return set()
        return set(_code_lines(compile_output(output, self.filename)))


def _code_lines(code: CodeType) -> Iterator[int]:
    """Yield the lines that a trace of this code can name."""
    for _, _, line in code.co_lines():
        if line and not (line == code.co_firstlineno and code.co_name != "<module>"):
            yield line
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code_lines(constant)


def coverage_init(registry: object, options: dict[str, str]) -> None:
    """Register the plug-in; coverage calls this."""
    registry.add_file_tracer(Documents())

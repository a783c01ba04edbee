"""Python code whose every position is the document's.

The program is parsed as it was tangled; then each node of its syntax tree is moved to
where its text stands in the document, and the tree is compiled under the document's
name. Tracebacks, warnings, debuggers and coverage then need no help to show that place.
"""

from __future__ import annotations

import ast
import linecache
import os
import warnings
from types import CodeType

from literate.core.programs import Output


def compile_output(output: Output, filename: str) -> CodeType:
    """Return a Python output as code whose positions are in its document.

    `filename` is what the code calls the document. Warnings of the compiler are shown
    at their place in it. Raises what `compile` raises; `check_syntax` says where.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tree = ast.parse(output.text, output.path)
    places = _Places(output)
    for node in ast.walk(tree):
        places.move(node)
    for warning in caught:
        line = places.line(warning.lineno or 1)
        warnings.warn_explicit(warning.message, warning.category, filename, line)
    return compile(tree, filename, "exec", dont_inherit=True)


def remember_lines(filename: str, lines: list[str]) -> None:
    """Show the document as it is now in tracebacks and debuggers, whatever it becomes.

    An entry of `linecache` without a time is never looked up again.
    """
    lines = [line.rstrip("\r\n") + "\n" for line in lines]
    linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)


def root_to_run(outputs: list[Output], document: str) -> Output | None:
    """Return the program of a document: the root of its name, or the first Python one.

    None if it has no root in Python.
    """
    python = [output for output in outputs if output.path.endswith(".py")]
    stem = os.path.splitext(os.path.basename(document))[0]
    named = [output for output in python if output.path == f"build/{stem}.py"]
    return (*named, *python, None)[0]


class _Places:
    """Where each line of an output is in the document, and how far it is shifted."""

    def __init__(self, output: Output) -> None:
        document = output.document
        self.lines = [0]  # by the output's line, from 1: the document's line
        self.shifts = [0]  # and what has to be added to a column, in bytes
        self.lengths = [0]  # and the length in bytes of the document's line
        for span in output.spans:
            for index in range(span.source, span.source + span.count):
                self.lines.append(index + 1)
                self.shifts.append(-len(span.indent))
                source = document.lines[index].rstrip("\r\n")
                self.lengths.append(len(source.encode()))

    def line(self, line: int) -> int:
        return self.lines[min(line, len(self.lines) - 1)]

    def move(self, node: ast.AST) -> None:
        """Move a node to the document, where it ends no earlier than it begins.

        What begins in one chunk and ends in another ends, as far as one is shown, with
        the line that it begins in.
        """
        line = getattr(node, "lineno", None)
        if line is None:
            return
        end_line, end = node.end_lineno, node.end_col_offset
        node.lineno = self.lines[line]
        node.col_offset = max(0, node.col_offset + self.shifts[line])
        if self.lines[end_line] - node.lineno == end_line - line:
            node.end_lineno = self.lines[end_line]
            node.end_col_offset = max(0, end + self.shifts[end_line])
        else:
            node.end_lineno = node.lineno
            node.end_col_offset = max(node.col_offset, self.lengths[line])

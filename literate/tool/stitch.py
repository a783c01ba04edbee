"""Carry edits that were made in build/ back into the document.

usage: python tangle.py [DOCUMENT.md] stitch [--yes] [--out DIR]

  --yes       do not ask
  --out DIR   the programs are in DIR in the place of build/

The difference is shown first. Nothing is changed unless each edit belongs to one place
of the document, and tangling gives the edited programs exactly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher, unified_diff

from literate.core.blocks import split_lines
from literate.core.diagnostics import DocumentError, Problem
from literate.core.document import Document, parse
from literate.core.programs import Output, Span, tangle
from literate.core.syntax import with_backslashes
from literate.tool.command_line import (
    UsageError,
    no_others,
    output_folder,
    parse_options,
    read,
    shown,
)
from literate.tool.forms import outputs_and_forms
from literate.tool.outputs import OutputError, Plan, alone, replace_file

Lines = tuple[int, int, list[str]]  # lines of the document, from and to, and new ones


def main(path: str, arguments: list[str]) -> int:
    """Stitch the edits of a document's programs; return the exit status.

    Raises UsageError, OutputError and DocumentError, with every edit that cannot be
    carried back.
    """
    options = parse_options(arguments, __doc__, yes=False, out=None)
    no_others(options, "stitch")
    text = read(path)
    document = parse(text, shown(path))
    folder = output_folder(path, options.out)
    plan = Plan(outputs_and_forms(document), folder, shown(path))
    edits = list(_edits(plan))
    if not edits:
        print(f"{folder} holds no edit")
        return 0
    new = stitched(document, edits)
    old_lines, new_lines = document.lines, split_lines(new)
    for line in unified_diff(old_lines, new_lines, document.name, "with the edit"):
        print(line.rstrip("\r\n"))
    if not options.yes and not _agreed(document.name):
        print("nothing was changed")
        return 1
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    with alone(os.path.dirname(path)):
        replace_file(path, text.encode(), (mark + new).encode())
        print(f"wrote {document.name}")
        # The programs are as the document says now; its other forms follow.
        forms = outputs_and_forms(parse(new, shown(path)))
        for line in Plan(forms, folder, path).apply():
            print(line)
    return 0


def stitched(document: Document, edits: list[tuple[Output, str]]) -> str:
    """Return the document's text with the edits of its programs: outputs, new texts.

    Raises DocumentError with every edit that cannot be carried back, and why.
    """
    problems: list[Problem] = []
    changes: list[Lines] = []
    for output, text in edits:
        for change in _Stitcher(output, text).changes():
            (problems if isinstance(change, Problem) else changes).append(change)
    if problems:
        raise DocumentError(problems)
    lines = list(document.lines)
    for start, end, new in sorted(changes, key=lambda change: -change[0]):
        lines[start:end] = new
    result = "".join(lines)
    _check(document, edits, result, changes)
    return result


def _edits(plan: Plan) -> Iterator[tuple[Output, str]]:
    """Yield the edited programs and their texts. Raises OutputError."""
    refused = []
    for change in plan.changes:
        if not change.edited:
            continue  # tangling brings it up to date
        if change.output is None or change.output.key:
            refused.append(plan.edit_message(change))
        elif plan.is_new(change):
            file = os.path.join(plan.folder, change.path)
            refused.append(
                f"{file}: error: {plan.document} was changed as well since it was "
                "tangled\n  stitch the edit into the document as it was, or carry it "
                "there by hand and add --force"
            )
        else:
            try:
                yield change.output, change.old.decode("utf-8")
            except UnicodeDecodeError:
                refused.append(f"{change.path}: error: the edit is not UTF-8")
    if refused:
        raise OutputError(refused)


def _check(
    document: Document,
    edits: list[tuple[Output, str]],
    result: str,
    changes: list[Lines],
) -> None:
    """Raise DocumentError unless tangling gives the edits, and all else as before."""
    wanted = {output.path: output.text for output in tangle(document)}
    wanted.update((output.path, text) for output, text in edits)
    try:
        found = {o.path: o.text for o in tangle(parse(result, document.name))}
    except DocumentError as error:
        found = {}
        reason = error.problems[0].message
    else:
        reason = "tangled again, it would give something else"
    if found != wanted:
        index = min(start for start, _, _ in changes)
        message = f"the edit cannot stand in the document: {reason}"
        raise DocumentError([document.problem(index, 0, 1, message)])


class _Stitcher:
    """The difference between an output and an edited text of it, hunk by hunk."""

    def __init__(self, output: Output, text: str) -> None:
        self.output = output
        self.document = output.document
        self.old = split_lines(output.text)
        self.new = split_lines(text)
        self.spans: list[Span] = []  # by the output's line
        for span in output.spans:
            self.spans += [span] * span.count

    def changes(self) -> Iterator[Lines | Problem]:
        """Yield what changes in the document, or why that cannot be told."""
        matcher = SequenceMatcher(None, self.old, self.new, autojunk=False)
        for tag, start, end, new_start, new_end in matcher.get_opcodes():
            if tag == "equal":
                continue
            new = self.new[new_start:new_end]
            if tag == "insert":
                yield self._insert(start, new)
            elif tag == "delete":
                yield from self._delete(start, end)
            else:
                yield from self._replace(start, end, new)

    def _replace(
        self, start: int, end: int, new: list[str]
    ) -> Iterator[Lines | Problem]:
        if self._is_one_run(start, end):
            yield self._write(self.spans[start], start, end, new)
        elif len(new) == end - start:  # line by line
            for number, line in zip(range(start, end), new):
                if line != self.old[number]:
                    span = self.spans[number]
                    yield self._write(span, number, number + 1, [line])
        else:
            message = "an edit of lines from several chunks, and of their number"
            yield self._problem(start, message, "edit one chunk at a time")

    def _delete(self, start: int, end: int) -> Iterator[Lines | Problem]:
        while start < end:
            stop = start + 1
            while stop < end and self._is_one_run(start, stop + 1):
                stop += 1
            yield self._write(self.spans[start], start, stop, [])
            start = stop

    def _insert(self, at: int, new: list[str]) -> Lines | Problem:
        """Insert before the output's line `at`, in the one chunk that it fits."""
        before = self.spans[at - 1] if at else None
        after = self.spans[at] if at < len(self.spans) else None
        if self._continues(before, after):
            return self._insert_into(before, at, new, behind=True)
        if after and not after.is_reference and (before is None or before.is_reference):
            return self._insert_into(after, at, new, behind=False)
        if (
            before
            and after
            and not after.is_reference
            and not _fits(new, before.indent)
        ):
            return self._insert_into(after, at, new, behind=False)
        if before is None and after is None:
            message = "lines for an empty program could belong anywhere"
            return self.document.problem(0, 0, 1, message)
        names = [f'"{span.piece.name}"' for span in (before, after) if span]
        message = f"lines at the border of {' and '.join(names)} could belong to either"
        return self._problem(max(0, at - 1), message, "write them into the document")

    def _continues(self, before: Span | None, after: Span | None) -> bool:
        """Tell whether what comes behind `before` can only belong to its piece."""
        if before is None or before.is_reference:
            return False
        if after is None:  # the end of the file, and of the root
            return before.piece.name == self.spans[0].piece.name
        return before.piece is after.piece

    def _insert_into(
        self, span: Span, at: int, new: list[str], behind: bool
    ) -> Lines | Problem:
        written = self._unindented(span, at - behind, new)
        if isinstance(written, Problem):
            return written
        index = self._index(at - 1) + 1 if behind else self._index(at)
        return index, index, written

    def _write(
        self, span: Span, start: int, end: int, new: list[str]
    ) -> Lines | Problem:
        """Put new lines in the place of a run of lines of one chunk."""
        if any(self.spans[number].is_reference for number in range(start, end)):
            message = "this comment is the name of a chunk, and stands for it"
            return self._problem(start, message, "change the name in the document")
        written = self._unindented(span, start, new)
        if isinstance(written, Problem):
            return written
        first = self._index(start)
        return first, first + end - start, written

    def _unindented(
        self, span: Span, number: int, new: list[str]
    ) -> list[str] | Problem:
        """Return lines as the chunk has them, in its fence."""
        leader = span.piece.leader
        lines = []
        for line in new:
            if line.isspace():
                lines.append(line)
            elif not line.startswith(span.indent):
                message = "an edit with less indentation than its chunk has here"
                return self._problem(number, message, "edit the document")
            elif not line.endswith(("\n", "\r")):
                message = "the edited file does not end in a newline"
                return self._problem(number, message, "end its last line")
            else:
                own = line.removeprefix(span.indent)
                lines.append(
                    own if span.piece.is_data else with_backslashes(own, leader)
                )
        return lines

    def _index(self, number: int) -> int:
        """Return the document's line, from 0, of an output's line, from 0."""
        span = self.spans[number]
        return span.source + number - span.line

    def _is_one_run(self, start: int, end: int) -> bool:
        """Tell whether lines of the output stand together in the document."""
        return self.spans[start] is self.spans[end - 1]

    def _problem(self, number: int, message: str, hint: str) -> Problem:
        index = self._index(min(number, len(self.spans) - 1))
        source = self.document.lines[index].rstrip("\r\n")
        start = len(source) - len(source.lstrip())
        where = f"{hint}; this is line {number + 1} of {self.output.path}"
        length = max(1, len(source) - start)
        return self.document.problem(index, start, length, message, where)


def _fits(new: list[str], indent: str) -> bool:
    """Tell whether lines could stand in a chunk that is indented so far."""
    return all(line.startswith(indent) for line in new if not line.isspace())


def _agreed(name: str) -> bool:
    """Ask; raise UsageError if there is nobody to be asked."""
    if not sys.stdin.isatty():
        raise UsageError("stitch asks before it writes; without a terminal, add --yes")
    return input(f"Write this into {name}? [y/N] ").strip().lower() in ("y", "yes")

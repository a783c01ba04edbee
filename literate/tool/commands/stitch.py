"""Carry edits that were made in build/ back into the document.

The difference is shown first. Nothing is changed unless each edit belongs to one place
of the document, and tangling gives the edited programs exactly.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher, unified_diff
from typing import NoReturn

from literate.core.blocks import split_lines
from literate.core.diagnostics import DocumentError, Problem
from literate.core.document import Document, Piece, parse
from literate.core.programs import Output, Span, tangle
from literate.core.syntax import with_backslashes
from literate.tool.command_line import (
    Parser,
    UsageError,
    output_folder,
    read,
    shown,
    write,
)
from literate.tool.forms import Form, outputs_and_forms
from literate.tool.outputs import OutputError, Plan, alone


@dataclass
class Edit:
    """New lines in the place of the document's lines from `start` to before `end`.

    The lines are counted from 0 and belong to `piece`; the edit was made in `output`,
    and the same edit can be made in another.
    """

    start: int
    end: int
    new: list[str]
    piece: Piece
    output: Output = field(compare=False)

    def meets(self, other: Edit) -> bool:
        """Tell whether two edits change the same lines, or insert in the same place."""
        overlap = self.start < other.end and other.start < self.end
        return overlap or self.start == other.start


def main(path: str, arguments: list[str]) -> int:
    """Stitch the edits of a document's programs; return the exit status.

    Raises UsageError, OutputError and DocumentError, with every edit that cannot be
    carried back.
    """
    parser = Parser("stitch", __doc__)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_out()
    options = parser.parse_args(arguments)
    folder = output_folder(path, options.out)
    text = read(path)
    document = parse(text, shown(path))
    edited = _edited(document, folder)
    if not edited:
        print(f"{folder} holds no edit")
        return 0
    new = stitched(document, edited)
    made = outputs_and_forms(parse(new, document.name))
    print("\n".join(_preview(document, new, made)))
    if not options.yes and not _agreed(document.name):
        print("nothing was changed")
        return 1
    with alone(folder):
        if _edited(document, folder) != edited:
            message = f"{folder}: error: edited again meanwhile; nothing was changed"
            raise OutputError([message])
        write(path, text, new)
        print(f"wrote {document.name}")
        # The edited programs are as the document says now; all else follows.
        plan = Plan(made, folder, document.name)
        known = {text.encode() for text in edited.values()}
        plan.refuse_edits(known)
        print("\n".join(plan.apply()))
    return 0


def stitched(document: Document, edited: dict[str, str]) -> str:
    """Return the document's text with what was edited: outputs' paths, new texts.

    Raises DocumentError with every edit that cannot be carried back, and why.
    """
    problems: list[Problem] = []
    edits: list[Edit] = []
    for output in tangle(document):
        if output.path not in edited:
            continue
        try:
            own = _Stitcher(output, edited[output.path]).edits()
        except DocumentError as error:
            problems += error.problems
        else:
            problems += _conflicts(edits, own)
            edits += own
    if problems:
        raise DocumentError(problems)
    return _with_edits(document, edits)


def _edited(document: Document, folder: str) -> dict[str, str]:
    """Return the texts of the programs that were edited, by path.

    Raises OutputError if what was edited is no program, or changed in the document as
    well.
    """
    plan = Plan(outputs_and_forms(document), folder, document.name)
    found, refused = {}, []
    for change in plan.changes:
        if not change.edited:
            continue  # tangling brings it up to date
        if not isinstance(change.output, Output):
            refused.append(plan.edit_message(change))
        elif plan.was_changed(change):
            refused.append(
                f"{plan.file(change.path)}: error: {plan.document} was changed as well "
                "since it was tangled\n  stitch the edit into the document as it was, "
                "or carry it there by hand and add --force"
            )
        else:
            try:
                found[change.output.path] = change.old.decode("utf-8")
            except UnicodeDecodeError:
                file = plan.file(change.path)
                refused.append(f"{file}: error: the edit is not UTF-8")
    if refused:
        raise OutputError(refused)
    return found


def _with_edits(document: Document, edits: list[Edit]) -> str:
    """Return the document's text with edits, the same one of two outputs made once."""
    lines = list(document.lines)
    by_place = {(edit.start, edit.end): edit.new for edit in edits}
    for (start, end), new in sorted(by_place.items(), reverse=True):
        lines[start:end] = new
    return "".join(lines)


def _conflicts(edits: list[Edit], more: list[Edit]) -> list[Problem]:
    """Return a problem for each place that two outputs change differently."""
    return [
        edit.output.document.problem(
            edit.start,
            0,
            1,
            f'"{edit.piece.name}" was edited differently in two programs',
            f"make {edit.output.path} and {other.output.path} agree",
        )
        for edit in more
        for other in edits
        if edit.meets(other) and edit != other
    ]


def _preview(document: Document, new: str, made: list[Output | Form]) -> Iterator[str]:
    """Yield the difference in the document, and the programs that it changes.

    `made` is what the new document makes.
    """
    old_lines, new_lines = document.lines, split_lines(new)
    for line in unified_diff(old_lines, new_lines, document.name, "with the edit"):
        yield line.rstrip("\r\n")
    before = {output.path: output.text for output in tangle(document)}
    programs = [output for output in made if output.path in before]
    changed = [o.path for o in programs if before[o.path] != o.text]
    yield f"this changes {', '.join(changed)}"


class _Stitcher:
    """The difference between an output and an edited text of it, hunk by hunk.

    A hunk is a range of the output's lines, from 0, and the lines in its place.
    """

    def __init__(self, output: Output, text: str) -> None:
        self.output = output
        self.document = output.document
        self.old = split_lines(output.text)
        self.new = split_lines(text)
        self.spans: list[Span] = []  # by the output's line
        for span in output.spans:
            self.spans += [span] * span.count
        # Behind the last line, the root goes on.
        roots = {root.path: root for root in self.document.roots}
        last = roots[output.path].pieces[-1]
        end = last.line + len(last.lines)
        self.spans.append(Span(len(self.old), end, 0, "", last, False))

    def edits(self) -> list[Edit]:
        """Return what changes in the document.

        Raises DocumentError with every hunk for which that cannot be told.
        """
        if self.new and not self.new[-1].endswith(("\n", "\r")):
            message = "the edited file does not end in a newline"
            self._refuse(len(self.old) - 1, message, "end its last line")
        edits, problems = [], []
        for hunk in self._hunks():
            try:
                edits.append(self._edit(*hunk))
            except DocumentError as error:
                problems += error.problems
        reason = "" if problems else self._hindrance(edits, self.new)
        if reason:
            index = min(edit.start for edit in edits)
            message = f"the edit cannot stand in the document: {reason}"
            problems.append(self.document.problem(index, 0, 1, message))
        if problems:
            raise DocumentError(problems)
        return edits

    def _hunks(self) -> Iterator[tuple[int, int, list[str]]]:
        """Yield the hunks; lines that are removed, or replaced one by one, alone."""
        matcher = SequenceMatcher(None, self.old, self.new, autojunk=False)
        for tag, start, end, first, last in matcher.get_opcodes():
            new = self.new[first:last]
            if tag == "equal":
                continue
            if new and len(new) != end - start:
                yield start, end, new
            else:
                for place, number in enumerate(range(start, end)):
                    yield number, number + 1, new[place : place + 1]

    def _edit(self, start: int, end: int, new: list[str]) -> Edit:
        """Return the edit of the document that gives a hunk.

        Lines that are inserted can go behind the line before them, or before the line
        that follows. Where these are two places, only one may give what was edited.
        """
        places = [(self.spans[start], self._index(start))]
        if start < end:
            self._check_run(start, end)
        elif start:
            places.insert(0, (self.spans[start - 1], self._index(start - 1) + 1))
        by_index = {
            index: Edit(index, index + end - start, lines, span.piece, self.output)
            for span, index in places
            if (lines := _unindented(new, span)) is not None
        }
        edits = [*by_index.values()]
        if not edits:
            message = "an edit with less indentation than its chunk has here"
            self._refuse(start, message, "edit the document")
        if len(edits) > 1:
            wanted = [*self.old[:start], *new, *self.old[end:]]
            exact = [edit for edit in edits if not self._hindrance([edit], wanted)]
            edits = exact or edits[:1]
        if len(edits) > 1:
            names = " and ".join(f'"{edit.piece.name}"' for edit in edits)
            message = f"lines at the border of {names} could belong to either"
            self._refuse(start - 1, message, "write them into the document")
        return edits[0]

    def _check_run(self, start: int, end: int) -> None:
        """Raise DocumentError unless lines stand together in a chunk, as its code."""
        if self.spans[start] is not self.spans[end - 1]:
            message = "an edit of lines from several chunks, and of their number"
            self._refuse(start, message, "edit one chunk at a time")
        if self.spans[start].is_reference:
            message = "this comment is the name of a chunk, and stands for it"
            self._refuse(start, message, "change the name in the document")

    def _hindrance(self, edits: list[Edit], wanted: list[str]) -> str:
        """Return why edits do not give the output these lines, "" if they do.

        Lines that come out again are code of the output's chunks. So nothing but these
        chunks can have changed, and the other outputs that share them.
        """
        try:
            again = tangle(parse(_with_edits(self.document, edits), self.document.name))
        except DocumentError as error:
            return error.problems[0].message
        found = {output.path: output.text for output in again}
        if found.get(self.output.path) == "".join(wanted):
            return ""
        return "tangled again, it would give something else"

    def _index(self, number: int) -> int:
        """Return the document's line, from 0, of an output's line, from 0."""
        span = self.spans[number]
        return span.source + number - span.line

    def _refuse(self, number: int, message: str, hint: str) -> NoReturn:
        number = max(0, number)
        index = self._index(number)
        source = self.document.lines[index].rstrip("\r\n")
        start = len(source) - len(source.lstrip())
        hint = f"{hint}; this is line {number + 1} of {self.output.path}"
        length = len(source) - start
        raise DocumentError(
            [self.document.problem(index, start, length, message, hint)]
        )


def _unindented(new: list[str], span: Span) -> list[str] | None:
    """Return lines as the chunk of a span has them, None if they stand too far left."""
    lines = []
    for line in new:
        if not line.isspace():
            if not line.startswith(span.indent):
                return None
            line = line.removeprefix(span.indent)
            if not span.piece.is_data:
                line = with_backslashes(line, span.piece.leader)
        lines.append(line)
    return lines


def _agreed(name: str) -> bool:
    """Ask; raise UsageError if there is nobody to be asked."""
    if not sys.stdin.isatty():
        raise UsageError("stitch asks before it writes; without a terminal, add --yes")
    return input(f"Write this into {name}? [y/N] ").strip().lower() in ("y", "yes")

"""Carry edits that were made in build/ back into the document.

The difference is shown first. Nothing is changed unless each edit belongs to one place
of the document, and tangling gives the edited programs exactly.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff

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
)
from literate.tool.forms import outputs_and_forms
from literate.tool.outputs import OutputError, Plan, alone, replace_file


@dataclass
class Edit:
    """New lines in the place of the document's lines from `start` to before `end`.

    The lines are counted from 0 and belong to `piece`; the edit was made in `output`.
    """

    start: int
    end: int
    new: list[str]
    piece: Piece
    output: Output

    def meets(self, other: Edit) -> bool:
        """Tell whether two edits change the same lines, or insert in the same place."""
        return (self.start < other.end and other.start < self.end) or (
            self.start == other.start
        )

    def is_same(self, other: Edit) -> bool:
        mine, others = (self.start, self.end), (other.start, other.end)
        return mine == others and self.new == other.new


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
    print("\n".join(_preview(document, new)))
    if not options.yes and not _agreed(document.name):
        print("nothing was changed")
        return 1
    with alone(folder):
        if _edited(document, folder) != edited:
            message = f"{folder}: error: edited again meanwhile; nothing was changed"
            raise OutputError([message])
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        replace_file(path, text.encode(), (mark + new).encode())
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
    outputs = tangle(document)
    problems: list[Problem] = []
    edits: list[Edit] = []
    for output in outputs:
        if output.path not in edited:
            continue
        own: list[Edit] = []
        for found in _Stitcher(output, edited[output.path]).edits():
            (problems if isinstance(found, Problem) else own).append(found)
        if not problems:
            problems += _proof(document, outputs, output, own, edited[output.path])
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


def _proof(
    document: Document,
    outputs: list[Output],
    edited: Output,
    edits: list[Edit],
    text: str,
) -> list[Problem]:
    """Return a problem unless tangling gives an edited output, and all else as before.

    Only outputs that share an edited piece may change.
    """
    reason = "tangled again, it would give something else"
    try:
        again = tangle(parse(_with_edits(document, edits), document.name))
    except DocumentError as error:
        again, reason = [], error.problems[0].message
    found = {output.path: output.text for output in again}
    touched = {id(edit.piece) for edit in edits}
    wanted = {edited.path: text}
    for output in outputs:
        shares = touched & {id(span.piece) for span in output.spans}
        wanted.setdefault(
            output.path, found.get(output.path) if shares else output.text
        )
    if found == wanted:
        return []
    index = min(edit.start for edit in edits)
    message = f"the edit cannot stand in the document: {reason}"
    return [document.problem(index, 0, 1, message)]


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
        if edit.meets(other) and not edit.is_same(other)
    ]


def _preview(document: Document, new: str) -> Iterator[str]:
    """Yield the difference in the document, and the programs that it changes."""
    old_lines, new_lines = document.lines, split_lines(new)
    for line in unified_diff(old_lines, new_lines, document.name, "with the edit"):
        yield line.rstrip("\r\n")
    before = {output.path: output.text for output in tangle(document)}
    after = tangle(parse(new, document.name))
    changed = [o.path for o in after if before[o.path] != o.text]
    yield f"this changes {', '.join(changed)}"


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

    def edits(self) -> Iterator[Edit | Problem]:
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
    ) -> Iterator[Edit | Problem]:
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

    def _delete(self, start: int, end: int) -> Iterator[Edit | Problem]:
        while start < end:
            stop = start + 1
            while stop < end and self._is_one_run(start, stop + 1):
                stop += 1
            yield self._write(self.spans[start], start, stop, [])
            start = stop

    def _insert(self, at: int, new: list[str]) -> Edit | Problem:
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
    ) -> Edit | Problem:
        written = self._unindented(span, at - behind, new)
        if isinstance(written, Problem):
            return written
        index = self._index(at - 1) + 1 if behind else self._index(at)
        return Edit(index, index, written, span.piece, self.output)

    def _write(
        self, span: Span, start: int, end: int, new: list[str]
    ) -> Edit | Problem:
        """Put new lines in the place of a run of lines of one chunk."""
        if any(self.spans[number].is_reference for number in range(start, end)):
            message = "this comment is the name of a chunk, and stands for it"
            return self._problem(start, message, "change the name in the document")
        written = self._unindented(span, start, new)
        if isinstance(written, Problem):
            return written
        first = self._index(start)
        return Edit(first, first + end - start, written, span.piece, self.output)

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

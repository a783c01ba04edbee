"""The model of a literate document: text in, chunks out, every line with its place."""

from __future__ import annotations

from collections.abc import Callable

from literate.core import markdown, names, syntax
from literate.core.diagnostics import Problem, nearest
from literate.core.markdown import Block, Fence, Heading
from literate.core.syntax import DATA, LEADERS, Fault

_PLACES = {
    markdown.PARAGRAPH: "a paragraph",
    markdown.HEADING: "a heading",
    markdown.CODE: "an indented block",
    markdown.HTML: "an HTML block",
    markdown.QUOTE: "a block quote",
    markdown.LIST: "a list",
    markdown.BREAK: "a thematic break",
}


class Reference:
    """A line that stands for a chunk: the `index` of the line in its piece, its
    `indent`, the chunk's `name`, and the `comment` that it becomes, with its ending.
    """

    __slots__ = ("comment", "indent", "index", "name")

    def __init__(self, index: int, indent: str, name: str, comment: str) -> None:
        self.index = index
        self.indent = indent
        self.name = name
        self.comment = comment


class Piece:
    """A fenced block that defines or continues a chunk.

    `line` is the header's line (from 1), `start` the index in the document's lines of
    the first of `lines`: the code, without an indented fence's indentation and a
    literal's backslash. `variant` is None in the default program; `chapter` is the
    `##` heading above, or None.
    """

    __slots__ = (
        "chapter",
        "language",
        "leader",
        "line",
        "lines",
        "name",
        "references",
        "start",
        "variant",
    )

    def __init__(
        self, name: str, line: int, language: str, leader: str, variant: str | None
    ) -> None:
        self.name = name
        self.line = line
        self.language = language
        self.leader = leader
        self.variant = variant
        self.start = line
        self.lines: list[str] = []
        self.references: list[Reference] = []
        self.chapter: Heading | None = None


class Chunk:
    """A name and the pieces it stands for; `path` is a root's path, else None.

    `variants` holds, by the variant's name, the pieces that replace `pieces` in it.
    """

    __slots__ = ("name", "path", "pieces", "variants")

    def __init__(self, name: str, path: str | None) -> None:
        self.name = name
        self.path = path
        self.pieces: list[Piece] = []
        self.variants: dict[str, list[Piece]] = {}

    def pieces_in(self, variant: str | None) -> list[Piece]:
        """Return the pieces that stand for the chunk in a variant of the program."""
        return self.variants.get(variant, self.pieces) if variant else self.pieces

    def all_pieces(self) -> list[Piece]:
        """Return the pieces of the default program, then those of every variant."""
        return [*self.pieces, *(p for pieces in self.variants.values() for p in pieces)]


class Example:
    """A top-level fenced block that defines no chunk: its `info` string, the `line` of
    its fence (from 1), the `lines` in it, and the `chapter` (`##` heading) it is in.
    """

    __slots__ = ("chapter", "info", "line", "lines")

    def __init__(
        self, info: str, line: int, lines: list[str], chapter: Heading | None
    ) -> None:
        self.info = info
        self.line = line
        self.lines = lines
        self.chapter = chapter


class Document:
    """A document: its `name`, `lines` and top-level `blocks`, the `chunks` by name in
    order of definition, the `examples`, and the `problems` found in reading it.

    `excused` holds names that a problem already found involves: whether they are
    defined and used cannot be told before it is mended.
    """

    def __init__(self, name: str, lines: list[str], blocks: list[Block]) -> None:
        self.name = name
        self.lines = lines
        self.blocks = blocks
        self.chunks: dict[str, Chunk] = {}
        self.examples: list[Example] = []
        self.problems: list[Problem] = []
        self.excused: set[str] = set()

    @property
    def headings(self) -> list[Heading]:
        """The top-level headings, in order."""
        return [block for block in self.blocks if isinstance(block, Heading)]

    @property
    def variants(self) -> list[str]:
        """The names of all variants, in order of appearance."""
        return list(
            dict.fromkeys(v for chunk in self.chunks.values() for v in chunk.variants)
        )

    def problem(
        self, index: int, column: int, length: int, message: str, hint: str = ""
    ) -> Problem:
        """Return a problem at a line (from 0) and a column (from 0) of the document."""
        source = self.lines[index].rstrip("\r\n") if index < len(self.lines) else ""
        return Problem(self.name, index + 1, column + 1, message, source, length, hint)


def parse(text: str, name: str) -> Document:
    """Read a document; what is wrong with it is in its `problems`, nothing is raised.

    `name` is what messages call the document. A byte-order mark is dropped.
    """
    lines = markdown.split_lines(text.removeprefix("\ufeff"))
    document = Document(name, lines, markdown.parse_blocks(lines))
    _Reader(document).read()
    return document


class _Reader:
    """Goes through a document's blocks once and fills in its chunks and examples."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.lines = document.lines
        self.chapter: Heading | None = None

    def read(self) -> None:
        marked = [index for index, line in enumerate(self.lines) if "<<" in line]
        place = 0
        for block in self.document.blocks:
            first = place
            while place < len(marked) and marked[place] < block.end:
                place += 1
            if isinstance(block, Fence):
                self._read_fence(block, marked[first:place])
                continue
            if isinstance(block, Heading) and block.level <= 2:
                self.chapter = block if block.level == 2 else None
            if first < place:
                self._check_prose(block, marked[first:place])
        self._check_variants()

    def _report(self, index: int, shift: int, fault: Fault) -> None:
        """Report a fault that begins `shift` columns after where it says it begins."""
        start, length, message, hint = fault
        problem = self.document.problem(index, shift + start, length, message, hint)
        self.document.problems.append(problem)

    def _excuse(self, marked: list[int]) -> None:
        for index in marked:
            self.document.excused.update(syntax.names_in(self.lines[index]))

    def _check_prose(self, block: Block, marked: list[int]) -> None:
        """Report headers outside of top-level fenced blocks."""
        where = f"inside {_PLACES[block.kind]}"
        self._report_headers(marked, syntax.is_header_in_prose, where)

    def _report_headers(
        self, marked: list[int], is_header: Callable[[str], object], where: str
    ) -> None:
        """Report the headers among marked lines, where no header may stand."""
        for index in marked:
            source = self.lines[index].rstrip("\r\n")
            if is_header(source):
                self._report(index, 0, syntax.stray_header(source, where))
                self._excuse(marked)

    # Fenced blocks

    def _read_fence(self, fence: Fence, marked: list[int]) -> None:
        """Read a fenced block as a piece of a chunk, or else as an example."""
        if not fence.closed:
            message = "this fenced block is never closed"
            hint = f"end it with a line {fence.mark}"
            fault = Fault(fence.indent, len(fence.mark), message, hint)
            self._report(fence.start, 0, fault)
        header = fence.start + 1
        piece = None
        if marked and marked[0] == header and header < fence.last:
            piece = self._read_header(fence, header)
        if piece is None:
            self._read_example(fence, marked)
            return
        lines = self.lines[header + 1 : fence.last]
        piece.lines = markdown.unindent(lines, fence.indent) if fence.indent else lines
        piece.chapter = self.chapter
        if not fence.closed:
            self._excuse(marked)
        elif piece.language not in DATA and len(marked) > 1:
            self._read_code(piece, fence, marked[1:])

    def _read_example(self, fence: Fence, marked: list[int]) -> None:
        lines = self.lines[fence.start + 1 : fence.last]
        lines = markdown.unindent(lines, fence.indent)
        example = Example(fence.info, fence.start + 1, lines, self.chapter)
        self.document.examples.append(example)
        if not fence.closed:
            self._excuse(marked)
            return
        where = f"inside the fenced block of line {fence.start + 1}"
        self._report_headers(marked, syntax.header_like, where)

    def _read_code(self, piece: Piece, fence: Fence, marked: list[int]) -> None:
        """Find a piece's references, take off backslashes, report near misses."""
        for number in marked:
            index = number - piece.start
            line = piece.lines[index]
            match = syntax.REFERENCE.match(line)
            if match and match[2] == piece.leader:
                name = match[3]
                comment = f"{piece.leader} {name}{match[4]}"
                piece.references.append(Reference(index, match[1], name, comment))
                if ">>" in name:
                    self._excuse([number])
                continue
            source = line.rstrip("\r\n")
            if syntax.header_like(source):
                where = f"inside the fenced block of line {fence.start + 1}"
                fault = syntax.stray_header(source, where)
            else:
                fault = syntax.reference_fault(source, piece.leader, piece.language)
            if fault:
                self._report(number, len(self.lines[number]) - len(line), fault)
                self._excuse([number])
            else:
                piece.lines[index] = syntax.without_backslashes(line, piece.leader)

    # Headers and definitions

    def _read_header(self, fence: Fence, index: int) -> Piece | None:
        """Return the piece that a header begins, None if the line is no header."""
        line = self.lines[index].rstrip("\r\n")
        source = markdown.unindent([line], fence.indent)[0] if fence.indent else line
        shift = len(line) - len(source)
        match = syntax.HEADER.match(source)
        language = fence.info.lower()
        if not match or match[1] != LEADERS.get(language):
            return self._read_faulty_header(fence, index, source, shift)
        leader, name, more, variant = match.groups()
        piece = Piece(name, index + 1, language, leader, variant)
        fault = names.name_fault(name)
        if fault:
            hint = _path_hint(name)
            self._report(index, shift, Fault(match.start(2), len(name), fault, hint))
            self.document.excused.update((name, name.strip()))
        if variant is not None and names.variant_fault(variant):
            message = names.variant_fault(variant)
            self._report(index, shift, Fault(match.start(4), len(variant), message))
        self._define(piece, more, not fault)
        return piece

    def _read_faulty_header(
        self, fence: Fence, index: int, source: str, shift: int
    ) -> Piece | None:
        """Report what only resembles a header; None if the line is nothing of it.

        The block is read as a piece all the same, so that what is in it is checked and
        nobody is told that there is no such chunk.
        """
        like = syntax.header_like(source)
        if not like:
            return None
        language = fence.info.lower()
        if language in LEADERS:
            self._report(index, shift, syntax.header_fault(source, like, language))
        else:
            column = fence.indent + len(fence.mark)
            if fence.info:
                column = self.lines[fence.start].index(fence.info, column)
            fault = syntax.language_fault(fence.info, fence.mark)
            self._report(fence.start, column, fault)
        name = (like["name"] or like["bare"] or "").strip()
        self.document.excused.add(name)
        leader = LEADERS.get(language, "#")
        piece = Piece(name, index + 1, language, leader, syntax.variant_in(source))
        self._define(piece, None, not names.name_fault(name))
        return piece

    def _define(self, piece: Piece, more: str | None, sound: bool) -> None:
        """Add a piece to its chunk; `more` is "+" in `+=`, None if that is unknown."""
        chunk = self.document.chunks.get(piece.name)
        if chunk is None:
            path = None
            if sound and names.is_path(piece.name):
                path = names.root_path(piece.name)
            chunk = self.document.chunks[piece.name] = Chunk(piece.name, path)
        pieces = chunk.pieces
        if piece.variant is not None:
            pieces = chunk.variants.setdefault(piece.variant, [])
        if more == "" and pieces and piece.name not in self.document.excused:
            message = f"{_quoted(piece)} is defined already, at line {pieces[0].line}"
            hint = "write += to continue it, or choose another name"
            self._report_name(piece, message, hint)
        elif more == "+" and not pieces:
            self._report_early(piece)
        pieces.append(piece)

    def _report_early(self, piece: Piece) -> None:
        """Report a continuation of what is not defined yet."""
        hint = "the first piece has =, not +="
        self.document.excused.add(piece.name)
        if piece.variant is None:
            chunks = self.document.chunks.values()
            near = nearest(piece.name, [c.name for c in chunks if c.pieces])
            if near:
                hint = f'did you mean "{near}"?'
        message = f"{_quoted(piece)} is continued before it is defined"
        self._report_name(piece, message, hint)

    def _report_name(self, piece: Piece, message: str, hint: str) -> None:
        start = self.lines[piece.line - 1].index("<<")
        fault = Fault(start, len(piece.name) + 4, message, hint)
        self._report(piece.line - 1, 0, fault)

    def _check_variants(self) -> None:
        """Report variants of chunks that the default program does not have."""
        chunks = self.document.chunks.values()
        for chunk in chunks:
            if chunk.pieces:
                continue
            near = nearest(chunk.name, [other.name for other in chunks if other.pieces])
            self.document.excused.update({chunk.name, near} if near else {chunk.name})
            hint = f'did you mean "{near}"?' if near else ""
            message = f'a variant of "{chunk.name}", which no chunk is called'
            for pieces in chunk.variants.values():
                self._report_name(pieces[0], message, hint)


def _quoted(piece: Piece) -> str:
    variant = "" if piece.variant is None else f" (variant {piece.variant})"
    return f'"{piece.name}"{variant}'


def _path_hint(name: str) -> str:
    """Return the path that was perhaps meant by a root's faulty name."""
    if not names.is_path(name):
        return ""
    parts = [part for part in name.replace("\\", "/").split("/") if part.strip(". ")]
    guess = "/".join([names.FOLDER, *parts[-1:]])
    return f"did you mean {guess}?" if not names.name_fault(guess) else ""

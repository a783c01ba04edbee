"""The model of a literate document: text in, chunks out, every line with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from literate.core import names, syntax
from literate.core.blocks import Block, Fence, Heading, Html, Text, scan, split_lines
from literate.core.diagnostics import Fault, Problem, did_you_mean, nearest
from literate.core.syntax import DATA, LEADERS, PYTHON

_KINDS = {Text: "a paragraph", Heading: "a heading", Html: "an HTML block"}


@dataclass
class Reference:
    """A line that stands for a chunk: the `index` of the line in its piece, its
    `indent`, the chunk's `name`, and the line's `ending`.
    """

    index: int
    indent: str
    name: str
    ending: str


@dataclass(eq=False)
class Piece:
    """A fenced block that defines or continues a chunk.

    `line` is the header's line (from 1), and the index in the document's lines of the
    first of `lines`: the code, without a literal's backslash. `variant` is None in the
    default program; `chapter` is the `##` heading above, or None.
    """

    name: str
    line: int
    language: str
    leader: str
    variant: str | None
    chapter: Heading | None
    lines: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    @property
    def is_data(self) -> bool:
        """Whether nothing in the piece is a reference."""
        return self.language in DATA


@dataclass(eq=False)
class Chunk:
    """A name and the pieces it stands for; `path` is a root's path, else None.

    `variants` holds, by the variant's name, the pieces that replace `pieces` in it.
    """

    name: str
    path: str | None
    pieces: list[Piece] = field(default_factory=list)
    variants: dict[str, list[Piece]] = field(default_factory=dict)

    def pieces_in(self, variant: str | None) -> list[Piece]:
        """Return the pieces that stand for the chunk in a variant of the program."""
        return self.variants.get(variant, self.pieces) if variant else self.pieces

    def all_pieces(self) -> list[Piece]:
        """Return the pieces of the default program, then those of every variant."""
        return [*self.pieces, *(p for pieces in self.variants.values() for p in pieces)]

    def has_own_name(self, variant: str | None) -> bool:
        """Tell whether the code begins with a function or class, and so names itself.

        Such a chunk gets no comment in the program.
        """
        for piece in self.pieces_in(variant):
            for line in piece.lines:
                if not line.isspace():
                    return piece.language in PYTHON and syntax.has_own_name(line)
        return False


@dataclass
class Example:
    """A fenced block that defines no chunk: its `info` string, the `line` of its fence
    (from 1), the `lines` in it, and the `chapter` (`##` heading) it is in.
    """

    info: str
    line: int
    lines: list[str]
    chapter: Heading | None


class Document:
    """A document: its `name`, `lines` and `blocks`, the `chunks` by name in order of
    definition, the `examples`, and the `problems` found in reading it.

    `excused` holds names that a problem already found involves: whether they are
    defined and used cannot be told before it is mended.
    """

    def __init__(self, name: str, lines: list[str]) -> None:
        self.name = name
        self.lines = lines
        self.blocks: list[Block] = []
        self.chunks: dict[str, Chunk] = {}
        self.examples: list[Example] = []
        self.problems: list[Problem] = []
        self.excused: set[str] = set()

    @property
    def headings(self) -> list[Heading]:
        """The headings, in order."""
        return [block for block in self.blocks if isinstance(block, Heading)]

    @property
    def roots(self) -> list[Chunk]:
        """The chunks that are files, in order of definition."""
        return [chunk for chunk in self.chunks.values() if chunk.path and chunk.pieces]

    @property
    def variants(self) -> list[str]:
        """The names of all variants, in order of appearance."""
        every = [v for chunk in self.chunks.values() for v in chunk.variants]
        return list(dict.fromkeys(every))

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces of all chunks, those of variants included."""
        for chunk in self.chunks.values():
            yield from chunk.all_pieces()

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
    document = Document(name, split_lines(text.removeprefix("\ufeff")))
    _Reader(document).read()
    return document


class _Reader:
    """Goes through a document's blocks once and fills in its chunks and examples."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.lines = document.lines
        self.chapter: Heading | None = None

    def read(self) -> None:
        self.document.blocks, faults = scan(self.lines)
        faulty = {index for index, _ in faults}
        for index, fault in faults:
            self._report(index, fault)
        for block in self.document.blocks:
            if isinstance(block, Fence):
                self._read_fence(block)
            elif not faulty.isdisjoint(range(block.start, block.end)):
                self._excuse(block.start, block.end)
            else:
                self._read_prose(block)
        self._check_variants()

    def _read_prose(self, block: Block) -> None:
        if isinstance(block, Heading) and block.level <= 2:
            self.chapter = block if block.level == 2 else None
        where = f"inside {_KINDS[type(block)]}"
        self._report_headers(block.start, block.end, syntax.is_header_in_prose, where)

    def _report(self, index: int, fault: Fault) -> None:
        self.document.problems.append(self.document.problem(index, *fault))

    def _excuse(self, start: int, end: int) -> None:
        """Excuse whatever lines with a fault name."""
        for line in self.lines[start:end]:
            self.document.excused.update(syntax.names_in(line))

    def _report_headers(
        self, start: int, end: int, is_header: Callable[[str], bool], where: str
    ) -> None:
        """Report the headers among lines, where no header may stand."""
        for index in range(start, end):
            source = self.lines[index].rstrip("\r\n")
            if "<<" in source and is_header(source):
                self._report(index, syntax.stray_header(source, where))
                self._excuse(start, end)

    # Fenced blocks

    def _read_fence(self, fence: Fence) -> None:
        """Read a fenced block as a piece of a chunk, or else as an example."""
        header = fence.start + 1
        piece = self._read_header(fence, header) if header < fence.last else None
        if piece is None:
            self._read_example(fence)
        elif not fence.closed:
            self._excuse(header, fence.end)
        else:
            piece.lines = self.lines[header + 1 : fence.last]
            if not piece.is_data:
                self._read_code(piece, fence)

    def _read_example(self, fence: Fence) -> None:
        lines = self.lines[fence.start + 1 : fence.last]
        example = Example(fence.info, fence.start + 1, lines, self.chapter)
        self.document.examples.append(example)
        if not fence.closed:
            self._excuse(fence.start, fence.end)
            return
        where = f"inside the fenced block of line {fence.start + 1}"
        self._report_headers(fence.start + 1, fence.last, syntax.is_stray_header, where)

    def _read_code(self, piece: Piece, fence: Fence) -> None:
        """Find a piece's references, take off backslashes, report near misses."""
        for index, line in enumerate(piece.lines):
            if "<" not in line:
                continue
            number, source = piece.line + index, line.rstrip("\r\n")
            match = syntax.REFERENCE.match(line)
            if match and match[2] == piece.leader:
                reference = Reference(index, match[1], match[3], match[4])
                piece.references.append(reference)
                if ">>" in reference.name:
                    self._excuse(number, number + 1)
                continue
            if syntax.is_stray_header(source):
                where = f"inside the fenced block of line {fence.start + 1}"
                fault = syntax.stray_header(source, where)
            else:
                fault = syntax.reference_fault(source, piece.leader, piece.language)
            if fault:
                self._report(number, fault)
                self._excuse(number, number + 1)
            else:
                piece.lines[index] = syntax.without_backslashes(line, piece.leader)

    # Headers and definitions

    def _read_header(self, fence: Fence, index: int) -> Piece | None:
        """Return the piece that a header begins, None if the line is no header."""
        source = self.lines[index].rstrip("\r\n")
        match = syntax.HEADER.match(source)
        language = fence.info.lower()
        if not match or match[1] != LEADERS.get(language):
            return self._read_faulty_header(fence, index, source)
        leader, name, more, variant = match.groups()
        piece = Piece(name, index + 1, language, leader, variant, self.chapter)
        fault = names.name_fault(name)
        if fault:
            hint = names.path_hint(name)
            self._report(index, Fault(match.start(2), len(name), fault, hint))
            self.document.excused.update((name, name.strip()))
        if variant is not None and names.variant_fault(variant):
            message = names.variant_fault(variant)
            self._report(index, Fault(match.start(4), len(variant), message))
        self._define(piece, more, not fault)
        return piece

    def _read_faulty_header(
        self, fence: Fence, index: int, source: str
    ) -> Piece | None:
        """Report what only resembles a header; None if the line is nothing of it.

        The block is read as a piece all the same, so that what is in it is checked and
        nobody is told that there is no such chunk.
        """
        like = syntax.header_like(source)
        language = fence.info.lower()
        leader = LEADERS.get(language, "#")
        if not like:
            reference = syntax.REFERENCE.match(source)
            if reference and reference[2] == leader:
                self._report(index, syntax.unended_header(source, leader))
                self._excuse(fence.start, fence.end)
            return None
        if language in LEADERS:
            self._report(index, syntax.header_fault(source, like, language))
        else:
            column = self.lines[fence.start].find(fence.info, len(fence.mark))
            fault = syntax.language_fault(fence.info, fence.mark)
            self._report(fence.start, fault._replace(start=column))
        name = (like["name"] or like["bare"] or "").strip()
        self.document.excused.update((name, *syntax.names_in(source)))
        variant = syntax.variant_in(source)
        piece = Piece(name, index + 1, language, leader, variant, self.chapter)
        if like["slip"]:
            self._excuse(fence.start, fence.end)
        else:
            self._define(piece, None, not names.name_fault(name))
        return piece

    def _define(self, piece: Piece, more: str | None, sound: bool) -> None:
        """Add a piece to its chunk; `more` is "+" in `+=`, None if that is unknown."""
        chunk = self.document.chunks.get(piece.name)
        if chunk is None:
            is_root = sound and names.is_path(piece.name)
            path = names.root_path(piece.name) if is_root else None
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
        hint = ""
        self.document.excused.add(piece.name)
        if piece.variant is None:
            chunks = self.document.chunks.values()
            hint = did_you_mean(piece.name, [c.name for c in chunks if c.pieces])
        message = f"{_quoted(piece)} is continued before it is defined"
        self._report_name(piece, message, hint or "the first piece has =, not +=")

    def _report_name(self, piece: Piece, message: str, hint: str) -> None:
        start = self.lines[piece.line - 1].index("<<")
        fault = Fault(start, len(piece.name) + 4, message, hint)
        self._report(piece.line - 1, fault)

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

"""Chunks as HTML: framed, numbered, linked, and opened in place at their references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import groupby

from literate.core.document import Piece, Reference
from literate.core.programs import Origin, Output
from literate.weaving.book import Book
from literate.weaving.colours import Token, line_mark, tokenize
from literate.weaving.html import Slugs, link
from literate.weaving.identifiers import Definition
from literate.weaving.listings import Listing, list_programs, list_variants
from literate.weaving.quantities import attribute, quantities

_DEEPEST = 8  # references opened within references; those below are links alone
_WORDS = re.compile(r"\w+|\W+")
_PLAIN = ("import", "attribute")  # kinds that are not marked where they are defined


class Chunks:
    """All chunks of a document, and how a page shows them.

    `listings` are the programs among the document's outputs, the main one first.
    """

    def __init__(self, book: Book, outputs: list[Output]) -> None:
        self.book = book
        self.document = book.document
        self.pieces = {piece.line: piece for piece in self.document.pieces()}
        self.anchors: dict[Piece, str] = {}
        self._users: dict[str, list[Piece]] = {}
        self._name()
        self.listings = list_programs(self.document, outputs)
        self._no_program = Listing(Output(self.document, ""))
        self._listings: dict[Piece, list[Listing]] = {}  # what a piece is part of
        self._subjects: dict[str, Listing] = {}  # the program that a page is about
        self._settle()

    def _name(self) -> None:
        """Give each piece an anchor, and note who refers to it."""
        slugs = Slugs()
        for piece in self.pieces.values():
            self.anchors[piece] = slugs.unique(
                f"chunk {piece.name}{variant_mark(piece)}"
            )
            for reference in piece.references:
                self._users.setdefault(reference.name, []).append(piece)

    def _settle(self) -> None:
        """Note which programs each piece is part of, or else a variant of one."""
        for listing in self.listings:
            for piece in listing.pieces:
                self._listings.setdefault(piece, []).append(listing)
                if listing.prefix and self.document.chunks[piece.name].path:
                    self._subjects.setdefault(self.page(piece), listing)
        for listing in list_variants(self.document):
            for piece in listing.pieces:
                self._listings.setdefault(piece, [listing])

    # Places

    def page(self, piece: Piece) -> str:
        return self.book.chapter_at(piece.line).path

    def url(self, piece: Piece) -> str:
        return f"{self.page(piece)}#{self.anchors[piece]}"

    def home(self, piece: Piece, preferred: Listing | None = None) -> Listing:
        """Return the program whose numbers and links a piece's lines have.

        It is the preferred one, or the one whose root stands on the piece's page, if
        the piece is part of it; else the first that it is part of.
        """
        every = self._listings.get(piece, [self._no_program])
        choices = (preferred, self._subjects.get(self.page(piece)))
        return next((choice for choice in choices if choice in every), every[0])

    def line_url(self, origin: Origin) -> str:
        """Return the address, on a chapter's page, of a line of code."""
        home = self.home(origin.piece)
        if not home.prefix:
            return self.url(origin.piece)
        number = home.output.line_of(origin.line)
        return f"{self.page(origin.piece)}#{home.prefix}{number}"

    def users(self, name: str) -> list[Piece]:
        """Return the pieces that refer to a chunk, of variants if no others do."""
        users = self._users.get(name, [])
        return [user for user in users if not user.variant] or users

    def _last_line(self, listing: Listing, piece: Piece) -> int | None:
        """Return the program's last line of a piece, what it refers to included."""
        while piece.references and piece.references[-1].index == len(piece.lines) - 1:
            chunk = self.document.chunks[piece.references[-1].name]
            inside = [each for each in chunk.pieces_in(piece.variant) if each.lines]
            if not inside:
                break
            piece = inside[-1]
        return listing.output.line_of(piece.line + len(piece.lines))

    # What a page shows

    def figure(self, piece: Piece, opens: bool = True, task: str = "") -> str:
        """Return a piece as a figure; with `opens`, references open in place.

        `task` is the name of the task whose solution it is, "" if it is none's.
        """
        anchor = self.anchors[piece]
        text = _text(piece)
        if piece.is_data:
            body, copy = f'<pre class="data">{escape(text)}</pre>', ""
        else:
            depth = _DEEPEST if opens else 0
            body = _Code(self, piece, self.home(piece), depth).markup()
            copy = _copy_button(text)
        variant = " variant" if piece.variant else ""
        label = escape(f"Code: {piece.name}")
        solves = f' data-task="{task}"' if task and not piece.variant else ""
        return (
            f'<figure class="chunk highlight{variant}" id="{anchor}"{solves}'
            f"{line_mark(self._editable_line(piece))}>"
            f"<figcaption>{copy}{self._facts(piece)}"
            f'<a class="chunk-name" href="#{anchor}">{self._title(piece)}</a>'
            "</figcaption>"
            f'<div class="code" role="group" aria-label="{label}">'
            f"{body}</div></figure>"
        )

    def link(self, piece: Piece) -> str:
        """Return a link to a piece that shows its name."""
        name = _angled(piece.name)
        return f'<a class="to-chunk" href="{self.url(piece)}">{name}</a>'

    def _editable_line(self, piece: Piece) -> int | None:
        """Return the line of a chunk of the main program, at its first piece."""
        main = self.listings[0].output
        paths = [listing.output.path for listing in self._listings.get(piece, [])]
        first = self.document.chunks[piece.name].pieces_in(piece.variant)[0]
        is_editable = main.is_python and main.path in paths and piece is first
        return piece.line if is_editable else None

    def _title(self, piece: Piece) -> str:
        pieces = self.document.chunks[piece.name].pieces_in(piece.variant)
        sign = "=" if piece is pieces[0] else "+="
        return f"{_angled(piece.name)} {sign}{variant_mark(piece)}"

    def _facts(self, piece: Piece) -> str:
        facts = [*self._uses(piece), *self._neighbours(piece), *self._places(piece)]
        shown = " ".join(f'<span class="fact">{fact}</span>' for fact in facts)
        # Not a span: the search's exclusion ends with the first one that ends in it.
        return f'<div class="facts" data-search-exclude>{shown}</div>'

    def _uses(self, piece: Piece) -> Iterator[str]:
        for user in self.users(piece.name):
            yield f"in {self.link(user)}{variant_mark(user)}"

    def _neighbours(self, piece: Piece) -> Iterator[str]:
        chunk = self.document.chunks[piece.name]
        pieces = chunk.pieces_in(piece.variant)
        at = pieces.index(piece)
        if at > 0:
            yield self._step("continues", "prev", piece, pieces[at - 1])
        if at + 1 < len(pieces):
            yield self._step("continued in", "next", piece, pieces[at + 1])
        if piece.variant and chunk.pieces:
            yield f"instead of {self.link(chunk.pieces[0])}"
        elif at == 0:
            for variant, others in chunk.variants.items():
                yield f"variant {link(self.url(others[0]), variant)}"

    def _step(self, verb: str, rel: str, piece: Piece, other: Piece) -> str:
        text = self.book.chapter_at(other.line).plain_title
        if self.page(piece) == self.page(other):
            text = "above" if rel == "prev" else "below"
            verb = verb.removesuffix(" in")
        return f'{verb} <a class="{rel}" href="{self.url(other)}">{escape(text)}</a>'

    def _places(self, piece: Piece) -> Iterator[str]:
        """Yield where a piece is in the document, and in each program it is part of."""
        if piece.lines:
            lines = _lines(piece.line + 1, piece.line + len(piece.lines))
            yield f"{lines} of {escape(self.document.name)}"
        for listing in self._listings.get(piece, []):
            path = listing.output.path
            name = escape(path.rpartition("/")[2])
            if piece.is_data:
                count = f"{len(piece.lines):,} lines"
                yield f'<a href="{download_path(path)}">{escape(path)}</a>, {count}'
            elif listing.prefix and piece.lines:
                first = listing.output.line_of(piece.line + 1)
                last = self._last_line(listing, piece)
                lines = _lines(first, last)
                url = f"{listing.page}#{listing.prefix}{first}"
                yield f'<a class="lines" href="{url}">{lines}</a> of {name}'


def _lines(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first}\N{EN DASH}{last}"


@dataclass
class _Code:
    """A piece as lines of a program; references open down to a `depth`.

    `is_inside` tells that it is shown inside of another piece, at its reference.
    """

    chunks: Chunks
    piece: Piece
    listing: Listing
    depth: int
    is_inside: bool = False
    linked: set[Definition] = field(default_factory=set)

    def __post_init__(self) -> None:
        chapter = self.chunks.book.chapter_at(self.piece.line)
        self.quantities = quantities(chapter.anchor, self.piece.name)

    def markup(self) -> str:
        """Return the code as HTML: runs of lines, and references between them."""
        references = {reference.index: reference for reference in self.piece.references}
        lines = enumerate(piece_tokens(self.piece))
        shown = ""
        for reference, run in groupby(lines, lambda line: references.get(line[0])):
            if reference:
                shown += self._reference(reference)
            else:
                shown += f"<pre>{''.join(self._line(*line) for line in run)}</pre>"
        return shown

    def _gutter(self, index: int, is_numbered: bool = True) -> str:
        """Return the number that a line (from 0) of the piece has in the program."""
        prefix = self.listing.prefix
        if not prefix:
            return ""
        if not is_numbered:
            return '<span class="n" data-n=""></span>'
        number = self.listing.output.line_of(self.piece.line + index + 1)
        anchor = "" if self.is_inside else f' id="{prefix}{number}"'
        return f'<span class="n"{anchor} data-n="{number}"></span>'

    def _line(self, index: int, tokens: list[Token]) -> str:
        """Return a line with its names linked."""
        shown = self._gutter(index)
        column = 1
        for token in tokens:
            if token.colour:
                shown += token.markup(self.quantities)
            else:
                for match in _WORDS.finditer(token.text):
                    start = column + match.start()
                    place = Origin(self.piece.line + index + 1, start, self.piece)
                    shown += self._word(match[0], place)
            column += len(token.text)
        return f"{shown}\n"

    def _word(self, word: str, place: Origin) -> str:
        """Return a name as a link to where it is defined, and other text as it is.

        A local name defined in the same piece is in view and gets none. The keyboard
        stops at the first of several links to one place.
        """
        name = self.quantities.in_code(word)
        definition = self.listing.names.get(place)
        if definition is None:
            return name
        origin = self.listing.origin(definition.place)
        if origin == place:
            is_plain = definition.is_local or definition.kind in _PLAIN
            return name if is_plain else f'<b class="def">{name}</b>'
        if definition.is_local and origin.piece is self.piece:
            return name
        marks = attribute(self.quantities.code.get(word, ""))
        marks += ' tabindex="-1"' if definition in self.linked else ""
        self.linked.add(definition)
        url = self.chunks.line_url(origin)
        return f'<a class="use" href="{url}"{marks}>{escape(word)}</a>'

    def _reference(self, reference: Reference) -> str:
        """Return a reference as a link, with what it stands for where it opens."""
        chunk = self.chunks.document.chunks[reference.name]
        pieces = chunk.pieces_in(self.piece.variant) or chunk.all_pieces()
        has_own_name = chunk.has_own_name(self.piece.variant)
        gutter = self._gutter(reference.index, is_numbered=not has_own_name)
        line = f'{gutter}<span class="indent">{escape(reference.indent)}</span>'
        if self.depth == 0:
            return f'<pre class="ref">{line}{self.chunks.link(pieces[0])}\n</pre>'
        inside = ""
        for piece in chunk.pieces_in(pieces[0].variant):
            home = self.chunks.home(piece, self.listing)
            inside += _Code(self.chunks, piece, home, self.depth - 1, True).markup()
        width = len(reference.indent.expandtabs(4))
        return (
            f'<div class="ref"><details><summary>{line}'
            f'<span class="ref-name">{_angled(reference.name)}</span></summary>'
            f'<div class="inside" style="--indent:{width}ch" data-search-exclude>'
            f"{inside}</div></details>"
            f'<a class="to-chunk" href="{self.chunks.url(pieces[0])}" '
            f'aria-label="Go to {escape(reference.name)}">→</a></div>'
        )


def piece_tokens(piece: Piece) -> list[list[Token]]:
    """Return the tokens of a piece's lines; references are the program's comments."""
    return tokenize(_text(piece), piece.language)


def variant_mark(piece: Piece) -> str:
    """Return what is shown behind the name of a variant's piece."""
    return f" (variant {escape(piece.variant)})" if piece.variant else ""


def download_path(path: str) -> str:
    """Return the address on the site of a file that the book makes."""
    return f"downloads/{escape(path.removeprefix('build/'))}"


def _text(piece: Piece) -> str:
    """Return a piece's lines as the program has them, references as comments."""
    lines = [line.rstrip("\r\n") for line in piece.lines]
    for reference in piece.references:
        lines[reference.index] = f"{reference.indent}{piece.leader} {reference.name}"
    return "".join(f"{line}\n" for line in lines)


def _angled(name: str) -> str:
    return f"⟨{escape(name)}⟩"


def _copy_button(text: str) -> str:
    return (
        '<button class="copy" type="button" title="Copy the code" '
        f'aria-label="Copy the code" data-clipboard-text="{escape(text)}"></button>'
    )

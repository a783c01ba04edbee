"""Chunks as HTML: framed, coloured, linked, and opened in place at their references."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.token import STANDARD_TYPES, Comment, Keyword, Name, Number, String
from pygments.util import ClassNotFound

from literate.core.blocks import split_lines
from literate.core.document import Chunk, Document, Piece, Reference
from literate.core.programs import Output, tangle
from literate.core.syntax import DATA
from literate.weaving.book import LISTING, Book
from literate.weaving.html import Slugs, escape, slug
from literate.weaving.identifiers import Definition, find_definitions

_DEEPEST = 8  # references opened within references; those below are links alone
_COLOURED = (Comment, Keyword, Number, String)

Token = tuple[int, str, str]  # column, text, class of its colour or ""


class Program:
    """An output with its lines as tokens, its definitions, and the links of its lines.

    `prefix` begins the anchors of its lines; it is None where lines have none: in data
    and in variants. Of a variant few lines are shown, so it is not read as `tokens`.
    """

    def __init__(self, output: Output, language: str, prefix: str | None) -> None:
        self.output = output
        self.prefix = prefix
        self.lines = [_without_ending(line) for line in split_lines(output.text)]
        self.tokens = _tokenize(output.text, language) if prefix else []
        self.is_python = output.path.endswith(".py")
        self.definitions: list[Definition] = []
        if self.is_python:
            self.definitions = find_definitions(output.text)
        self.uses: dict[int, dict[int, Definition]] = {}
        self.named: dict[int, dict[int, Definition]] = {}
        for definition in self.definitions:
            line, column = definition.place
            self.named.setdefault(line, {})[column] = definition
            for line, column in definition.uses:
                self.uses.setdefault(line, {})[column] = definition

    @property
    def page(self) -> str:
        """The path of the page that lists the program."""
        is_first = self.prefix == "L"
        return LISTING if is_first else f"listing-{slug(self.output.path)}.md"


class Code:
    """All chunks of a document, and how a page shows them."""

    def __init__(self, document: Document, outputs: list[Output], book: Book) -> None:
        self.document = document
        self.book = book
        self.programs: list[Program] = []
        self.pieces = {
            piece.line: piece
            for chunk in document.chunks.values()
            for piece in chunk.all_pieces()
        }
        self._homes: dict[int, Program] = {}  # a piece's line -> where it ends up
        self._anchors = self._name_anchors()
        self._users: dict[str, list[Piece]] = {}
        for piece in self.pieces.values():
            for reference in piece.references:
                self._users.setdefault(reference.name, []).append(piece)
        self._read(outputs)

    def _name_anchors(self) -> dict[int, str]:
        anchors: dict[int, str] = {}
        slugs = Slugs()
        for chunk in self.document.chunks.values():
            for piece in chunk.all_pieces():
                variant = f" variant {piece.variant}" if piece.variant else ""
                anchors[piece.line] = slugs.unique(f"chunk {piece.name}{variant}")
        return anchors

    def _read(self, outputs: list[Output]) -> None:
        for output in outputs:
            language = self.language(output)
            is_first = not any(program.prefix for program in self.programs)
            prefix = "L" if is_first else f"{slug(output.path)}-L"
            program = Program(output, language, None if language in DATA else prefix)
            self.programs.append(program)
            self._settle(program)
        for variant in self.document.variants:
            for output in tangle(self.document, variant):
                new = {span.piece.line for span in output.spans} - self._homes.keys()
                if new:
                    self._settle(Program(output, self.language(output), None))

    def _settle(self, program: Program) -> None:
        for span in program.output.spans:
            self._homes.setdefault(span.piece.line, program)

    def language(self, output: Output) -> str:
        """Return the language of an output: that of its root's first piece."""
        roots = [c for c in self.document.chunks.values() if c.path == output.path]
        return roots[0].pieces[0].language

    # Places

    def anchor(self, piece: Piece) -> str:
        return self._anchors[piece.line]

    def page(self, piece: Piece) -> str:
        return self.book.chapter_at(piece.line).path

    def url(self, piece: Piece) -> str:
        return f"{self.page(piece)}#{self.anchor(piece)}"

    def line_url(self, program: Program, line: int) -> str:
        """Return the address, on a chapter's page, of a line of a program."""
        origin = program.output.origin(line)
        home = self._homes.get(origin.piece.line)
        number = home and home.output.line_of(origin.line)
        anchor = self.anchor(origin.piece)
        if home and home.prefix and number:
            anchor = f"{home.prefix}{number}"
        return f"{self.page(origin.piece)}#{anchor}"

    def users(self, name: str) -> list[Piece]:
        """Return the pieces that refer to a chunk, of variants if no others do."""
        users = self._users.get(name, [])
        return [user for user in users if not user.variant] or users

    def own_lines(self, piece: Piece) -> tuple[Program, int, int] | None:
        """Return a piece's first and last line in its program; None in no program.

        The lines of a reference that ends the piece are counted with it.
        """
        home = self._homes.get(piece.line)
        if not home or not piece.lines:
            return None
        first = home.output.line_of(piece.line + 1)
        last = self._last_line(home, piece)
        return (home, first, last) if first and last else None

    def _last_line(self, home: Program, piece: Piece) -> int | None:
        """Return the program's last line of a piece, what it refers to included."""
        while piece.references and piece.references[-1].index == len(piece.lines) - 1:
            chunk = self.document.chunks[piece.references[-1].name]
            inside = [each for each in chunk.pieces_in(piece.variant) if each.lines]
            if not inside:
                break
            piece = inside[-1]
        return home.output.line_of(piece.line + len(piece.lines))

    # Pages

    def figure(self, piece: Piece, opens: bool = True) -> str:
        """Return a piece as a figure; with `opens`, references open in place."""
        anchor = self.anchor(piece)
        if piece.language in DATA:
            text = escape("".join(_without_ending(line) + "\n" for line in piece.lines))
            body = f'<pre class="data">{text}</pre>'
            copy = ""
        else:
            body = "".join(self._body(piece, True, _DEEPEST if opens else 0))
            copy = _copy_button(_plain(piece))
        variant = " variant" if piece.variant else ""
        label = escape(f"Code: {piece.name}")
        return (
            f'<figure class="chunk highlight{variant}" id="{anchor}"'
            f"{_line_mark(self._editable_line(piece))}>"
            f"<figcaption>{self._facts(piece)}"
            f'<a class="chunk-name" href="#{anchor}">{self._title(piece)}</a>'
            f"{copy}</figcaption>"
            f'<div class="code" role="group" aria-label="{label}">'
            f"{body}</div></figure>"
        )

    def _editable_line(self, piece: Piece) -> int | None:
        """Return the line of a chunk of a Python program, at its first piece."""
        home = self._homes.get(piece.line)
        first = self.document.chunks[piece.name].pieces_in(piece.variant)[0]
        return piece.line if home and home.is_python and piece is first else None

    def _title(self, piece: Piece) -> str:
        pieces = self.document.chunks[piece.name].pieces_in(piece.variant)
        sign = "=" if piece is pieces[0] else "+="
        variant = f" (variant {escape(piece.variant)})" if piece.variant else ""
        return f"{_angled(piece.name)} {sign}{variant}"

    def _facts(self, piece: Piece) -> str:
        facts = [*self._uses(piece), *self._neighbours(piece), *self._places(piece)]
        return (
            '<span class="facts" data-search-exclude>'
            + " ".join(f'<span class="fact">{fact}</span>' for fact in facts)
            + "</span>"
            if facts
            else ""
        )

    def _uses(self, piece: Piece) -> Iterator[str]:
        for user in self.users(piece.name):
            variant = f" (variant {escape(user.variant)})" if user.variant else ""
            yield f"in {self.link(user)}{variant}"

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
                link = f'<a href="{self.url(others[0])}">{escape(variant)}</a>'
                yield f"variant {link}"

    def _step(self, verb: str, rel: str, piece: Piece, other: Piece) -> str:
        text = self.book.chapter_at(other.line).title
        if self.page(piece) == self.page(other):
            text = "above" if rel == "prev" else "below"
            verb = verb.removesuffix(" in")
        link = f'<a class="{rel}" href="{self.url(other)}">{escape(text)}</a>'
        return f"{verb} {link}"

    def _places(self, piece: Piece) -> Iterator[str]:
        own = self.own_lines(piece)
        if not own:
            return
        program, first, last = own
        path = program.output.path
        if piece.variant or program.prefix is None:
            if piece.language in DATA:
                yield (
                    f'<a href="downloads/{escape(path.removeprefix("build/"))}">'
                    f"{escape(path)}</a>, {len(piece.lines):,} lines"
                )
            return
        lines = f"line {first}" if first == last else f"lines {first}\N{EN DASH}{last}"
        yield (
            f'<a class="lines" href="{program.page}#{program.prefix}{first}">'
            f"{lines}</a> of {escape(path)}"
        )

    def link(self, piece: Piece) -> str:
        """Return a link to a piece that shows its name."""
        name = _angled(piece.name)
        return f'<a class="to-chunk" href="{self.url(piece)}">{name}</a>'

    def _body(self, piece: Piece, is_main: bool, depth: int) -> Iterator[str]:
        """Yield a piece's code: runs of lines, and its references between them."""
        references = {reference.index: reference for reference in piece.references}
        linked: set[str] = set()
        run: list[str] = []
        for index in range(len(piece.lines)):
            reference = references.get(index)
            if reference is None:
                run.append(self._line(piece, index, is_main, linked))
                continue
            if run:
                yield f"<pre>{''.join(run)}</pre>"
                run = []
            yield self._reference(piece, reference, is_main, depth)
        if run:
            yield f"<pre>{''.join(run)}</pre>"

    def _line(self, piece: Piece, index: int, is_main: bool, linked: set[str]) -> str:
        program = self._homes.get(piece.line)
        number = program and program.output.line_of(piece.line + index + 1)
        source = _without_ending(piece.lines[index])
        if not program or not number:
            return f"{escape(source)}\n"
        shift = len(program.lines[number - 1]) - len(source)
        if program.tokens:
            tokens = _cut(program.tokens[number - 1], shift)
        else:
            alone = _tokenize("".join(piece.lines), piece.language)[index]
            tokens = [(shift + column, text, colour) for column, text, colour in alone]
        shown = self._tokens(program, number, tokens, piece, linked)
        return f"{_number(program, number, is_main)}{shown}\n"

    def _tokens(
        self,
        program: Program,
        number: int,
        tokens: list[Token],
        piece: Piece,
        linked: set[str],
    ) -> str:
        uses, named = program.uses.get(number, {}), program.named.get(number, {})
        shown = []
        for column, text, colour in tokens:
            places = [] if colour in ("s", "c") else sorted({*uses, *named})
            at = column
            for place in places:
                definition = uses.get(place) or named[place]
                name = definition.name.rpartition(".")[2]
                end = place + len(name)
                if place < at or end > column + len(text):
                    continue
                if text[place - column : end - column] != name:
                    continue
                shown.append(_span(text[at - column : place - column], colour))
                if place in uses:
                    shown.append(self._use(program, definition, name, piece, linked))
                else:
                    shown.append(_definition(definition, name))
                at = end
            shown.append(_span(text[at - column :], colour))
        return "".join(shown)

    def _use(
        self,
        program: Program,
        definition: Definition,
        name: str,
        piece: Piece,
        linked: set[str],
    ) -> str:
        """Return a name as a link to where it is defined.

        A local name defined in the same piece is in view and gets none. The keyboard
        stops at the first of several links to one place.
        """
        line = definition.place[0]
        home = program.output.origin(line).piece
        if definition.is_local and home is piece:
            return escape(name)
        again = ' tabindex="-1"' if definition.name in linked else ""
        linked.add(definition.name)
        url = self.line_url(program, line)
        return f'<a class="use" href="{url}"{again}>{escape(name)}</a>'

    def _reference(
        self, piece: Piece, reference: Reference, is_main: bool, depth: int
    ) -> str:
        chunk = self.document.chunks[reference.name]
        program = self._homes.get(piece.line)
        line = piece.line + reference.index + 1
        number = program and program.output.line_of(line)
        has_comment = number and program.output.origin(number).line == line
        gutter = _number(program, number, is_main) if has_comment else ""
        target = self._target(chunk, piece)
        name = _angled(reference.name)
        indent = f'<span class="indent">{escape(reference.indent)}</span>'
        if depth == 0:
            link = f'<a class="to-chunk" href="{self.url(target)}">{name}</a>'
            return f'<pre class="ref">{gutter}{indent}{link}\n</pre>'
        inside = "".join(
            part
            for each in chunk.pieces_in(target.variant)
            for part in self._body(each, False, depth - 1)
        )
        width = len(reference.indent.expandtabs(4))
        return (
            f'<div class="ref"><details><summary>{gutter}{indent}'
            f'<span class="ref-name">{name}</span></summary>'
            f'<div class="inside" style="--indent:{width}ch" data-search-exclude>'
            f"{inside}</div></details>"
            f'<a class="to-chunk" href="{self.url(target)}" '
            f'aria-label="Go to {escape(reference.name)}">→</a></div>'
        )

    def _target(self, chunk: Chunk, piece: Piece) -> Piece:
        return (chunk.pieces_in(piece.variant) or chunk.all_pieces())[0]


@cache
def highlight(text: str, language: str, line: int | None = None) -> str:
    """Return a fenced block that is no chunk as HTML.

    `line` is its line in the document, if scripts are to know it.
    """
    lines = []
    for tokens in _tokenize(text, language, plain=False):
        lines.append("".join(_span(shown, colour) for _, shown, colour in tokens))
    body = "\n".join(lines)
    name = escape(language) or "text"
    return (
        f'<div class="highlight example language-{slug(name)}"{_line_mark(line)}>'
        f"<pre><code>{body}\n</code></pre></div>"
    )


def tokens_as_html(program: Program, number: int) -> str:
    """Return a line of a program, coloured."""
    tokens = program.tokens[number - 1]
    return "".join(_span(text, colour) for _, text, colour in tokens)


@cache
def _tokenize(text: str, language: str, plain: bool = True) -> list[list[Token]]:
    """Return the tokens of each line, without line endings.

    With `plain`, only a few kinds of token have a colour.
    """
    sources = split_lines(text)
    starts = [0]
    for source in sources:
        starts.append(starts[-1] + len(source))
    lines: list[list[Token]] = [[] for _ in sources]
    for index, kind, value in _lexer(language).get_tokens_unprocessed(text):
        colour = _colour(kind, plain)
        while value:
            number = bisect_right(starts, index) - 1
            part = value[: starts[number + 1] - index]
            column = index - starts[number]
            shown = part.rstrip("\r\n")
            line = lines[number]
            if line and line[-1][2] == colour:
                column, before, _ = line.pop()
                shown = before + shown
            if shown:
                line.append((column, shown, colour))
            index += len(part)
            value = value[len(part) :]
    return lines


@cache
def _lexer(language: str) -> Lexer:
    try:
        return get_lexer_by_name(language or "text")
    except ClassNotFound:
        return TextLexer()


@cache
def _colour(kind, plain: bool) -> str:
    if not plain:
        return STANDARD_TYPES.get(kind, "") if kind not in Name else ""
    return next((STANDARD_TYPES[group] for group in _COLOURED if kind in group), "")


def _span(text: str, colour: str) -> str:
    shown = escape(text)
    return f'<span class="{colour}">{shown}</span>' if colour and shown else shown


def _cut(tokens: list[Token], shift: int) -> list[Token]:
    """Return a line's tokens without its first `shift` characters."""
    cut = []
    for column, text, colour in tokens:
        skip = max(0, shift - column)
        if skip < len(text):
            cut.append((column + skip, text[skip:], colour))
    return cut


def _number(program: Program, number: int, is_main: bool) -> str:
    if program.prefix is None:
        return ""
    anchor = f' id="{program.prefix}{number}"' if is_main else ""
    return f'<span class="n"{anchor} data-n="{number}"></span>'


def _definition(definition: Definition, name: str) -> str:
    shown = escape(name)
    if definition.is_local or definition.kind in ("import", "attribute", "parameter"):
        return shown
    return f'<b class="def">{shown}</b>'


def _angled(name: str) -> str:
    return f"⟨{escape(name)}⟩"


def _line_mark(line: int | None) -> str:
    return f' data-line="{line}"' if line else ""


def _copy_button(text: str) -> str:
    return (
        '<button class="copy" type="button" title="Copy the code" '
        f'aria-label="Copy the code" data-clipboard-text="{escape(text)}"></button>'
    )


def _plain(piece: Piece) -> str:
    """Return a piece's lines as the program has them, references as comments."""
    lines = [_without_ending(line) for line in piece.lines]
    for reference in piece.references:
        comment = f"{reference.indent}{piece.leader} {reference.name}"
        lines[reference.index] = comment
    return "\n".join(lines) + "\n"


def _without_ending(line: str) -> str:
    return line.rstrip("\r\n")

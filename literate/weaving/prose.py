"""Prose: mathematics, links to other pages, side notes and terms, in Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TypeVar

from math_core import LatexError, LatexToMathML

from literate.core.blocks import Block, Text
from literate.core.diagnostics import Problem, did_you_mean
from literate.weaving.book import Book, Chapter, Section
from literate.weaving.html import curl, link, plain, raw, slug
from literate.weaving.quantities import quantities

_Found = TypeVar("_Found")
_TOKEN = re.compile(
    r"""
      (?P<escaped> \\[\s\S] )
    | (?P<code> (?<!`)(?P<ticks>`+)(?!`) [\s\S]+? (?<!`)(?P=ticks)(?!`) )
    | (?P<display>\$\$(?:[^$]*\$\$)?)
    | \$`(?P<ticked>[^`]+)`\$
    | (?<![\w$])\$(?P<math>[^\s$](?:[^$]*?[^\s$\\])?)\$(?![\w$])
    | \[\^(?P<note>[^\]\s]+)\]
    | <dfn>(?P<dfn>[\s\S]*?)</dfn>
    | (?P<tag><[^>\s][^>]*>)
    | (?P<mark>!?)\[(?P<label>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)\)
    """,
    re.VERBOSE,
)
_NOTE = re.compile(r"^\[\^([^\]\s]+)\]:[ \t]*", re.MULTILINE)
_DEFINITION = re.compile(r"\[(?!\^)[^\]]+\]:\s*\S")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_GLOSSARY = re.compile(
    r"^\| term \| meaning \|\n\|[ |:-]+\n((?:\|.*\n)+)", re.MULTILINE
)
_STOP = re.compile(r"[.!?](?=\s)|(?=\s*(?:\||\n\s*\n|\n\s*(?:[-*]|\d+\.)\s))")
_SHOWN_USES = 3


@dataclass
class Surroundings:
    """What the pages of a book need to know of what is around it.

    `draw` turns a mermaid diagram into SVG, or raises DiagramError; `repository` turns
    a file's path into its address, "" if it has none. `figures` are the paths of the
    pictures that there are, `labs` the names of those; `exercises` gives for the name
    of each the chunk that it asks for, "" if it asks for none. `map` is the map of the
    model as SVG, "" if there is none; `pdf` is the path of the book as a PDF, "" if
    none is made. `lead` says on the cover what the book is; `run` is the training
    that it shows, if there is one, as `labs/record.py` records it.
    """

    draw: Callable[[str], str]
    repository: Callable[[str], str] = lambda path: ""
    figures: Collection[str] = ()
    labs: Collection[str] = ()
    exercises: Mapping[str, str] = field(default_factory=dict)
    map: str = ""
    lead: str = ""
    run: dict | None = None
    pdf: str = ""


@dataclass
class Term:
    """A term marked `<dfn>`: its meaning as Markdown, its chapter, and who uses it.

    One with a note behind its name, as in "key (of attention)", has an everyday sense
    as well: it is linked only where the book marks it, `[keys](#glossary)`.
    """

    name: str
    meaning: str
    chapter: Chapter
    used_in: list[Chapter] = field(default_factory=list)

    @property
    def is_plain(self) -> bool:
        return self.name == self.word

    @property
    def word(self) -> str:
        """The name without its note."""
        return _without_note(self.name)

    @property
    def entry(self) -> str:
        """The anchor of its row in the glossary."""
        return f"entry-{slug(self.name)}"

    @property
    def anchor(self) -> str:
        return f"term-{slug(self.name)}"

    @property
    def url(self) -> str:
        return f"{self.chapter.path}#{self.anchor}"


@dataclass
class _Note:
    text: str
    start: int  # index of its first line in the document


class Prose:
    """The prose of a document: what its notes and terms are, and how it is shown.

    `problems` is filled while the prose is shown.
    """

    def __init__(self, book: Book, around: Surroundings) -> None:
        self.book = book
        self.document = book.document
        self.around = around
        self.problems: set[Problem] = set()
        self.notes: dict[str, _Note] = {}
        self.link_definitions: list[str] = []
        self._set_aside: set[int] = set()  # starts of blocks shown elsewhere
        self._set_notes_aside()
        self.glossary: Chapter | None = None
        self.terms: dict[str, Term] = {}
        self._find_terms()
        self.words = self._pattern()
        self._find_uses()

    # What is in the document

    def is_set_aside(self, block: Block) -> bool:
        """Tell whether a block is shown elsewhere: the text of notes, link targets."""
        return block.start in self._set_aside

    def _set_notes_aside(self) -> None:
        name = ""  # of the note that an indented paragraph goes on with
        for block in self.document.blocks:
            if not isinstance(block, Text):
                name = ""
                continue
            text = self.book.text(block)
            before, *notes = _NOTE.split(text)
            if notes and not before:
                for name, note in zip(notes[::2], notes[1::2]):
                    self.notes[name] = _Note(note, block.start)
            elif name and text.startswith("    "):
                self.notes[name].text += text
            elif all(map(_DEFINITION.match, text.splitlines())):
                name = ""
                self.link_definitions.append(text)
            else:
                name = ""
                continue
            self._set_aside.add(block.start)

    def term(self, word: str) -> Term | None:
        """Return what a word means if it is a term, or the plural of one."""
        return _one_of(self.terms, word)

    def term_marked(self, link: re.Match[str]) -> Term | None:
        """Return the term that a link to the glossary shows."""
        if self.glossary and link["target"] == f"#{self.glossary.anchor}":
            return self.term(link["label"])
        return None

    def _find_terms(self) -> None:
        """Find the terms; what each of them means is in its row of the glossary."""
        rows = self._glossary()
        for chapter, text, start in self._texts():
            for found in re.findall(r"<dfn>(.*?)</dfn>", text, re.DOTALL):
                row = _one_of(rows, found)
                if row is None:
                    hint = did_you_mean(_folded(found), rows) or "give it a row there"
                    self.report(start, found, "this term is in no glossary", hint)
                term = Term(*(row or (plain(found), "")), chapter)
                self.terms.setdefault(_folded(term.word), term)

    def _glossary(self) -> dict[str, tuple[str, str]]:
        """Return the rows of the table with the columns "term" and "meaning"."""
        rows = {}
        for chapter, text, _ in self._texts():
            for table in _GLOSSARY.findall(text):
                self.glossary = chapter
                for name, meaning in map(_row, table.splitlines()):
                    rows[_folded(_without_note(name))] = plain(name), meaning
        return rows

    def _texts(self) -> Iterator[tuple[Chapter, str, int]]:
        """Yield the chapters' texts, and the index of the line each begins with."""
        for chapter in self.book.chapters:
            for block in chapter.blocks:
                if isinstance(block, Text):
                    yield chapter, self.book.text(block), block.start

    def _pattern(self) -> re.Pattern[str]:
        """Return what matches the terms, longer ones first, also in the plural."""
        words = [word for word, term in self.terms.items() if term.is_plain]
        words.sort(key=len, reverse=True)
        each = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words)
        each = each or "(?!)"  # which matches nothing
        return re.compile(rf"(?<![\w-])(?:{each})(?:e?s)?(?![\w-])", re.IGNORECASE)

    def _find_uses(self) -> None:
        for chapter, text, _ in self._texts():
            text = _GLOSSARY.sub(" ", text)
            used = [*map(self.term, self.words.findall(_TOKEN.sub(" ", text)))]
            used += filter(None, map(self.term_marked, _TOKEN.finditer(text)))
            for term in used:
                if chapter is not term.chapter and chapter not in term.used_in:
                    term.used_in.append(chapter)

    # How it is shown

    def report(self, index: int, words: str, message: str, hint: str = "") -> None:
        """Note what is wrong with words that stand at a line (from 0) or soon after."""
        words = words.splitlines()[0]
        lines = self.document.lines
        numbers = range(index, len(lines))
        index = next((number for number in numbers if words in lines[number]), index)
        column = max(0, lines[index].find(words))
        problem = self.document.problem(index, column, len(words), message, hint)
        self.problems.add(problem)

    def formula(
        self, latex: str, index: int, words: str, is_display: bool = False
    ) -> str:
        """Return a formula as MathML; report a mistake at words of the document."""
        converter = LatexToMathML()
        try:
            formula = converter.convert_with_local_state(latex, displaystyle=is_display)
        except LatexError as error:
            said = _COLOUR.sub("", str(error)).strip().splitlines()[0]
            message = said.removeprefix("Error: ").rstrip(".")
            self.report(index, words, f"mathematics: {message}")
            return ""
        # Said for tables, where it is so anyway; HTML's checkers do not know it.
        formula = formula.replace(' scriptlevel="0"', "")
        anchor = self.book.chapter_at(index + 1).anchor
        return quantities(anchor).in_formula(formula)


class PageProse:
    """The prose of a page: it numbers the notes and links each term once."""

    def __init__(self, prose: Prose, chapter: Chapter | None = None) -> None:
        self.prose = prose
        self.chapter = chapter
        self.is_whole = chapter is None
        self.quantities = quantities(chapter.anchor if chapter else "")
        self.count = 0
        self._linked: set[str] = set()
        self._waiting: list[str] = []  # notes of the sentence that is being shown

    def title(self, of: Section) -> str:
        """Return the title of a chapter or a part as Markdown."""
        return self.show(of.title, of.line - 1, has_terms=False)

    def show(self, text: str, start: int, has_terms: bool = True) -> str:
        """Return Markdown with its mathematics, links, notes and terms woven in.

        `start` is the index of the text's first line in the document.
        """
        if _GLOSSARY.match(text):
            return self._glossary(text, start)
        text = curl(text)
        around, self._waiting = self._waiting, []
        shown, at = "", 0
        for match in _TOKEN.finditer(text):
            shown += self._sentences(text[at : match.start()], has_terms)
            shown += self._token(match, start + text.count("\n", 0, match.start()))
            at = match.end()
        shown += self._sentences(text[at:], has_terms)
        end = len(shown.rstrip())
        notes, self._waiting = "".join(self._waiting), around
        return shown[:end] + notes + shown[end:]

    def _sentences(self, text: str, has_terms: bool) -> str:
        """Return plain words, with the notes that wait where their sentence ends."""
        stop = _STOP.search(text) if self._waiting else None
        if not stop:
            return self._words(text, has_terms)
        notes, self._waiting = "".join(self._waiting), []
        first, rest = text[: stop.end()], text[stop.end() :]
        return self._words(first, has_terms) + notes + self._words(rest, has_terms)

    def _token(self, match: re.Match[str], index: int) -> str:
        """Return what stands at a line (from 0) and is not plain words, woven in."""
        latex = match["ticked"] or match["math"]
        if latex:
            return raw(self.prose.formula(latex, index, latex))
        if match["display"]:
            hint = "write ```math on a line above it and ``` below"
            message = "display mathematics is a block of its own"
            self.prose.report(index, match[0], message, hint)
        if match["note"]:
            return self._note(match, index)
        if match["code"]:
            return self._code(match)
        if match["dfn"]:
            return self._term_defined(match["dfn"])
        if match["tag"]:
            return raw(self.relink(match[0], index))
        if term := self.prose.term_marked(match):
            return self._term_used(match["label"], term)
        if match["target"]:
            label = self.show(match["label"], index, has_terms=False)
            target = self._target(match["target"], index, bool(match["mark"]))
            return f"{match['mark']}[{label}]({target})" if target else label
        return match[0]

    def _code(self, match: re.Match[str]) -> str:
        """Return a span of code; as HTML if a quantity is named in it."""
        code = match["code"].strip("`")
        shown = self.quantities.in_code(code)
        return match[0] if shown == escape(code) else raw(f"<code>{shown}</code>")

    def relink(self, markup: str, index: int) -> str:
        """Return HTML, which begins at a line (from 0), with the site's links."""

        def lead(match: re.Match[str]) -> str:
            target = self._target(match[2], index, is_picture=match[1] == "src")
            return f' {match[1]}="{target or match[2]}"'

        return re.sub(r'\s(href|src)="([^"]+)"', lead, markup)

    def _target(self, target: str, index: int, is_picture: bool) -> str:
        """Return where a link of the document leads on the site, "" if nowhere."""
        anchors, figures = self.prose.book.anchors, self.prose.around.figures
        if target.startswith("#"):
            if target[1:] not in anchors:
                hint = did_you_mean(target, [f"#{anchor}" for anchor in anchors])
                self.prose.report(index, target, "no heading has this anchor", hint)
            return f"{anchors.get(target[1:], '')}{target}"
        if _SCHEME.match(target):
            return target
        if is_picture and target not in figures:
            hint = did_you_mean(target, figures) or "pictures stand in web/figures"
            self.prose.report(index, target, "there is no such picture", hint)
        if target.startswith("web/"):
            return target.removeprefix("web/")
        return self.prose.around.repository(target)

    def _note(self, match: re.Match[str], index: int) -> str:
        """Return the mark of a note, which itself waits for the end of the sentence."""
        name = match["note"]
        note = self.prose.notes.get(name)
        if note is None:
            hint = did_you_mean(name, self.prose.notes)
            self.prose.report(index, f"[^{name}]", f"there is no note {name}", hint)
            return ""
        self.count += 1
        number = self.count
        text = self.show(" ".join(note.text.split()), note.start, has_terms=False)
        opening = (
            f'<span class="sidenote" role="note">'
            f'<span class="note-number">{number}</span> '
        )
        shown = f"{raw(opening)}{text}{raw('</span>')}"
        mark = raw(f'<sup class="note-mark">{number}</sup>')
        if match.string[: match.start()].endswith((".", "!", "?")):
            return mark + shown
        self._waiting.append(shown)
        return mark

    def _glossary(self, text: str, start: int) -> str:
        """Return the glossary, which is the index of terms: it says who uses each."""
        lines = text.splitlines()
        for number in range(2, len(lines)):
            lines[number] = self._entry(*_row(lines[number]), start + number)
        return "\n".join(lines) + "\n"

    def _entry(self, name: str, meaning: str, index: int) -> str:
        """Return a row of the glossary, which stands at a line (from 0).

        The search does without: it finds the chapter that defines the term.
        """
        term = self.prose.term(_without_note(name))
        meaning = self.show(meaning, index, has_terms=False)
        if term is None:
            return f"| {name} | {meaning} |"
        place = f'<a id="{term.entry}" href="{term.url}" data-search-exclude>'
        meaning = f"{raw('<span data-search-exclude>')}{meaning}{raw('</span>')}"
        uses = "" if self.is_whole else _uses(term)
        return f"| {raw(place)}{name}{raw('</a>')} | {meaning}{uses} |"

    def _term_defined(self, name: str) -> str:
        term = self.prose.term(name)
        mark = self.quantities.of_word(name)
        if term.anchor in self._linked:
            return f"<dfn>{name}</dfn>"
        self._linked.add(term.anchor)
        start = f'<dfn id="{term.anchor}"{mark}>'
        return raw(start) + name + raw("</dfn>") + self._margin(term)

    def _margin(self, term: Term) -> str:
        """Return the margin's entry beside a definition: where the term is used."""
        if not term.used_in:
            return ""
        links = ", ".join(chapter.link for chapter in term.used_in[:_SHOWN_USES])
        more = ""
        if len(term.used_in) > _SHOWN_USES:
            entry = f"{self.prose.glossary.path}#{term.entry}"
            more = f" and {link(entry, 'elsewhere')}"
        return raw(
            '<span class="sidenote term-note" role="note" data-search-exclude>'
            f"<b>{escape(term.name)}</b> used in {links}{more}</span>"
        )

    def _words(self, text: str, has_terms: bool) -> str:
        """Mark quantities, and link the first use of each term of another chapter."""
        if not has_terms or self.is_whole:
            return text
        shown, at = "", 0
        for match in self.prose.words.finditer(text):
            shown += self._marked(text[at : match.start()])
            shown += self._term_used(match[0], self.prose.term(match[0]))
            at = match.end()
        return shown + self._marked(text[at:])

    def _marked(self, text: str) -> str:
        """Return words with those marked that mean a quantity of the chapter."""

        def marked(match: re.Match[str]) -> str:
            mark = self.quantities.of_word(match[0])
            return raw(f"<span{mark}>{match[0]}</span>")

        return self.quantities.pattern.sub(marked, text)

    def _term_used(self, word: str, term: Term) -> str:
        """Return a word that is a term, linked at its first use in another chapter."""
        is_here = self.is_whole or term.chapter is self.chapter
        if is_here or term.anchor in self._linked:
            return self._marked(word)
        self._linked.add(term.anchor)
        mark = self.quantities.of_word(word)
        return raw(
            f'<a class="term" href="{term.url}"{mark} '
            f'title="{escape(plain(term.meaning))}">{escape(word)}</a>'
        )


def _row(line: str) -> tuple[str, str]:
    """Return the two cells of a line of the glossary."""
    name, _, meaning = line.strip("| ").partition(" | ")
    return name, meaning


def _without_note(name: str) -> str:
    """Return a term without what its name says in brackets."""
    return name.partition(" (")[0]


def _uses(term: Term) -> str:
    """Return the line below a term's meaning: which chapters define and use it."""
    used = ", ".join(chapter.link for chapter in term.used_in)
    uses = f"defined in {link(term.url, term.chapter.plain_title)}"
    uses += f", used in {used}" if used else ""
    return raw(f'<span class="uses" data-search-exclude>{uses}</span>')


def _one_of(table: dict[str, _Found], word: str) -> _Found | None:
    """Return what stands in a table under a word, which may be a plural."""
    singular = (_folded(word).removesuffix(ending) for ending in ("", "s", "es"))
    return next((table[each] for each in singular if each in table), None)


def _folded(word: str) -> str:
    return plain(word).casefold()

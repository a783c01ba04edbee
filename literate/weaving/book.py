"""How a document falls into pages: parts, chapters, and where every anchor is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, zip_longest

from literate.core.blocks import Block, Fence, Heading, Html
from literate.core.document import Document
from literate.core.labs import Lab, labs_in
from literate.weaving.html import Slugs, link, plain

FRONT = "index.md"
LISTING = "listing.md"
IDENTIFIERS = "identifiers.md"
CHUNKS = "chunks.md"
WHOLE = "book.md"
_RESERVED = ("index", "listing", "identifiers", "chunks", "book", "404")


@dataclass
class Section:
    """A heading, at `line` (from 1): its title as Markdown, and its anchor."""

    title: str
    anchor: str
    line: int

    @property
    def plain_title(self) -> str:
        """The title without the marks of Markdown."""
        return plain(self.title)


@dataclass
class Chapter(Section):
    """A page of the book: its path, its heading with its anchor, and its blocks.

    It begins at `line`: at its heading, or at that of the `part`, a `#` heading, if it
    is the first in it. What stands between a part's heading and its first chapter opens
    the part, and is a page of its own, with the part's heading.

    `number` counts the chapters; what has no number is 0. `figures_before` counts the
    figures of those before it.
    """

    path: str
    blocks: list[Block]
    part: Section | None = None
    number: int = 0
    figures_before: int = 0

    @property
    def link(self) -> str:
        """A link to the page, as HTML."""
        return link(self.path, self.plain_title)

    @property
    def opens_part(self) -> bool:
        """Whether it is the first of a part."""
        return self.part is not None and self.part.line == self.line

    @property
    def is_opening(self) -> bool:
        """Whether it has no heading but the part's."""
        return self.part is not None and self.part.anchor == self.anchor


class Book:
    """The chapters of a document, the front page first, and the pages of its anchors.

    `title` is its first heading, if that is a `#` heading, and `blocks` are all others.
    `anchors` gives the page of a heading's anchor, `heading_anchors` the anchor of the
    heading that begins at a line (from 0).
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        slugs = Slugs()
        self.heading_anchors = {
            heading.start: slugs.unique(heading.text) for heading in document.headings
        }
        first = next(iter(document.headings), None)
        self.title = first if first and first.level == 1 else None
        self.blocks = [block for block in document.blocks if block is not self.title]
        self.chapters = [*self._split()]
        self._number()
        self.anchors = {
            anchor: self.chapter_at(start + 1).path
            for start, anchor in self.heading_anchors.items()
        }

    @property
    def front(self) -> Chapter:
        return self.chapters[0]

    def chapter_at(self, line: int) -> Chapter:
        """Return the chapter in which a line (from 1) of the document stands."""
        place = bisect_right(self.chapters, line, key=lambda chapter: chapter.line)
        return self.chapters[max(0, place - 1)]

    def labs(self, block: Block) -> list[Lab]:
        """Return the labs that a block begins."""
        return labs_in(self.text(block)) if isinstance(block, Html) else []

    def text(self, block: Block) -> str:
        """Return the lines of a block."""
        return "".join(self.document.lines[block.start : block.end])

    def parts(self) -> Iterator[tuple[Section | None, list[Chapter]]]:
        """Yield each part with its chapters, and those that belong to none."""
        for part, chapters in groupby(self.chapters[1:], lambda each: each.part):
            yield part, [*chapters]

    def _split(self) -> Iterator[Chapter]:
        (_, blocks), *sections = self._sections()
        front = Chapter(self.document.name, "top", 1, FRONT, blocks)
        if self.title:
            front.title = self.title.text
            front.anchor = self.heading_anchors[self.title.start]
        yield front
        paths = Slugs(_RESERVED)
        part = unopened = None  # the part, as long as none of its pages is made
        for (heading, blocks), after in zip_longest(sections, sections[1:]):
            anchor, line = self.heading_anchors[heading.start], heading.start + 1
            if heading.level == 1:
                part = unopened = None
                if after and after[0].level == 2:
                    part = unopened = Section(heading.text, anchor, line)
                    if not blocks:
                        continue
            path = paths.unique(heading.text)
            path += "/index.md" if heading.level == 1 and part else ".md"
            line = unopened.line if unopened else line
            unopened = None
            yield Chapter(heading.text, anchor, line, path, blocks, part)

    def _number(self) -> None:
        """Number the chapters, and count their figures."""
        number = figures = 0
        for chapter in self.chapters:
            chapter.figures_before = figures
            figures += sum(map(self._figures, chapter.blocks))
            if chapter is not self.front and not chapter.is_opening:
                number += 1
                chapter.number = number

    def _figures(self, block: Block) -> int:
        if isinstance(block, Fence):
            return block.info == "mermaid"
        return self.text(block).count("](web/figures/")

    def _sections(self) -> list[tuple[Heading | None, list[Block]]]:
        """Return `#` and `##` headings with what follows them; None is before all."""
        sections: list[tuple[Heading | None, list[Block]]] = [(None, [])]
        for block in self.blocks:
            if isinstance(block, Heading) and block.level <= 2:
                sections.append((block, []))
            else:
                sections[-1][1].append(block)
        return sections

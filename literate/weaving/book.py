"""How a document falls into pages: parts, chapters, and where every anchor is."""

from __future__ import annotations

from dataclasses import dataclass, field

from literate.core.blocks import Block, Heading
from literate.core.document import Document
from literate.weaving.html import Slugs

FRONT = "index.md"
LISTING = "listing.md"
IDENTIFIERS = "identifiers.md"
CHUNKS = "chunks.md"
TERMS = "terms.md"
WHOLE = "book.md"
_RESERVED = ("index", "listing", "identifiers", "chunks", "terms", "book", "404")


@dataclass
class Part:
    """A `#` heading below the title, its anchor, and what stands before a chapter."""

    title: str
    anchor: str
    blocks: list[Block] = field(default_factory=list)


@dataclass
class Chapter:
    """A page of the book. `line` is its heading's, from 1; `anchor` the heading's."""

    path: str
    title: str
    anchor: str
    line: int
    part: Part | None = None
    opens_part: bool = False
    blocks: list[Block] = field(default_factory=list)


class Book:
    """The chapters of a document, the front page first, and the pages of its anchors.

    `anchors` gives the page of a heading's anchor, `heading_anchors` the anchor of the
    heading that begins at a line (from 0).
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.anchors: dict[str, str] = {}
        self.heading_anchors: dict[int, str] = {}
        self.chapters: list[Chapter] = []
        self._starts: list[int] = []
        self._slugs = Slugs()
        self._paths = Slugs(_RESERVED)
        self._split()

    @property
    def front(self) -> Chapter:
        return self.chapters[0]

    def chapter_at(self, line: int) -> Chapter:
        """Return the chapter in which a line (from 1) of the document stands."""
        found = self.chapters[0]
        for chapter, start in zip(self.chapters, self._starts, strict=True):
            if start < line:
                found = chapter
        return found

    def _split(self) -> None:
        title = self.document.name
        self._add(Chapter(FRONT, title, "", 1), 0)
        part: Part | None = None
        waiting: Heading | None = None  # a part's heading, until its first chapter
        for block in self.document.blocks:
            chapter = self.chapters[-1]
            if not isinstance(block, Heading) or block.level > 2:
                if isinstance(block, Heading):
                    self._anchor(block, chapter.path)
                (part.blocks if waiting and part else chapter.blocks).append(block)
                continue
            if block.level == 1 and block is self._title():
                anchor = self._anchor(block, FRONT)
                chapter.title, chapter.anchor = block.text, anchor
                chapter.line = block.start + 1
                continue
            if waiting and part and block.level == 1:
                self._page_of_part(part, waiting)
            if block.level == 1:
                part = Part(block.text, self._anchor(block, ""))
                waiting = block
                continue
            path = f"{self._paths.unique(block.text)}.md"
            anchor = self._anchor(block, path)
            start = waiting.start if waiting else block.start
            new = Chapter(path, block.text, anchor, block.start + 1, part)
            if waiting and part:
                new.opens_part = True
                self._settle(part, path)
            self._add(new, start)
            waiting = None
        if waiting and part:
            self._page_of_part(part, waiting)

    def _title(self) -> Heading | None:
        """Return the heading that is the title: the first, if it is of level 1."""
        first = next(iter(self.document.headings), None)
        return first if first and first.level == 1 else None

    def _page_of_part(self, part: Part, heading: Heading) -> None:
        """Make a page of a part that has no chapters."""
        path = f"{self._paths.unique(part.title)}.md"
        self._settle(part, path)
        line = heading.start + 1
        chapter = Chapter(path, part.title, part.anchor, line, blocks=part.blocks)
        part.blocks = []
        self._add(chapter, heading.start)

    def _settle(self, part: Part, path: str) -> None:
        self.anchors[part.anchor] = path
        for block in part.blocks:
            if isinstance(block, Heading):
                self.anchors[self.heading_anchors[block.start]] = path

    def _add(self, chapter: Chapter, start: int) -> None:
        self.chapters.append(chapter)
        self._starts.append(start)

    def _anchor(self, heading: Heading, path: str) -> str:
        anchor = self._slugs.unique(heading.text)
        self.anchors[anchor] = path
        self.heading_anchors[heading.start] = anchor
        return anchor

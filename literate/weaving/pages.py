"""From a document to the pages of a website: a pure function, text in, text out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial

from math_core import LatexError

from literate.core.blocks import Block, Fence, Heading, Html, Text
from literate.core.counts import count_chapters
from literate.core.diagnostics import DocumentError, did_you_mean
from literate.core.document import Document
from literate.core.programs import Output
from literate.weaving import indexes
from literate.weaving.book import (
    CHUNKS,
    FRONT,
    IDENTIFIERS,
    LISTING,
    TERMS,
    WHOLE,
    Book,
    Chapter,
)
from literate.weaving.chunks import Chunks, download_path
from literate.weaving.colours import highlight
from literate.weaving.diagrams import DiagramError
from literate.weaving.html import MARK, escape, raw_block
from literate.weaving.listings import Listing, list_programs, list_variants
from literate.weaving.prose import PageProse, Prose, latex_message, plain

_DESCRIBED = 155  # characters of a description


@dataclass
class Page:
    """A page: `text` is Markdown with marked HTML in it (see html.py).

    `line` is the document's line that it begins with, from 1; None if it has none.
    """

    path: str
    title: str
    text: str
    line: int | None = None


@dataclass
class Site:
    """What a document is woven into: pages, their order, and files to be downloaded."""

    name: str
    pages: list[Page] = field(default_factory=list)
    navigation: list = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


@dataclass
class Surroundings:
    """What the pages of a book need to know of what is around it.

    `draw` turns a mermaid diagram into SVG, or raises DiagramError; `repository` turns
    a file's path into its address, "" if it has none. `figures` are the paths of the
    pictures that there are, `labs` and `exercises` the names of those.
    """

    draw: Callable[[str], str]
    repository: Callable[[str], str] = lambda path: ""
    figures: Collection[str] = ()
    labs: Collection[str] = ()
    exercises: Collection[str] = ()


def weave(
    document: Document, outputs: list[Output], surroundings: Surroundings
) -> Site:
    """Return the site of a document that tangles.

    `outputs` are what it tangles into; those that are no root of it are downloads only.
    Raises DocumentError with all that cannot be shown, or leads nowhere.
    """
    weaver = _Weaver(document, outputs, surroundings)
    site = weaver.site()
    if weaver.prose.problems:
        raise DocumentError(weaver.prose.problems)
    return site


class _Weaver:
    def __init__(
        self, document: Document, outputs: list[Output], surroundings: Surroundings
    ) -> None:
        self.document = document
        self.outputs = outputs
        self.around = surroundings
        self.book = Book(document)
        self.prose = Prose(
            document, self.book, surroundings.repository, surroundings.figures
        )
        roots = {chunk.path for chunk in document.chunks.values()}
        listings = list_programs(document, [o for o in outputs if o.path in roots])
        variants = list_variants(document)
        self.chunks = Chunks(document, self.book, listings, variants)

    def site(self) -> Site:
        chapters = self.book.chapters
        site = Site(plain(chapters[0].title).partition(":")[0])
        site.pages = [self._front(), *map(self._chapter, chapters[1:])]
        site.pages += [*self._back(), self._whole()]
        site.navigation = self._navigation(site.pages)
        site.files = {download_path(out.path): out.text for out in self.outputs}
        return site

    def _navigation(self, pages: list[Page]) -> list:
        """Return the pages in reading order, those of a part together."""
        entries: list = []
        part = None
        for chapter in self.book.chapters:
            title = "Cover" if chapter is self.book.front else plain(chapter.title)
            entry = {title: chapter.path}
            if chapter.part is None:
                entries.append(entry)
            elif chapter.part is part:
                entries[-1][plain(part.title)].append(entry)
            else:
                part = chapter.part
                entries.append({plain(part.title): [entry]})
        own = {chapter.path for chapter in self.book.chapters}
        others = [{page.title: page.path} for page in pages if page.path not in own]
        return [*entries, {"Look it up": others}]

    # Pages

    def _page(
        self, path: str, title: str, body: str, line: int | None = None, **meta
    ) -> Page:
        """Return a page with its front matter, and with its links to itself short."""
        here = {path}
        if path == WHOLE:
            here = {chapter.path for chapter in self.book.chapters}
        head = "\n".join(f"{key}: {json.dumps(value)}" for key, value in meta.items())
        definitions = "".join(self.prose.link_definitions)
        text = f"---\n{head}\n---\n\n{_localize(body, here)}\n\n{definitions}"
        return Page(path, title, text, line)

    def _chapter(self, chapter: Chapter) -> Page:
        prose = self.prose.page(chapter)
        body = []
        if chapter.part:
            anchor = f" #{chapter.part.anchor}" if chapter.opens_part else ""
            title = prose.show(chapter.part.title, chapter.line - 1, has_terms=False)
            body.append(f"\n{title}\n{{: .part{anchor} }}\n")
        title = prose.show(chapter.title, chapter.line - 1, has_terms=False)
        body.append(f"\n# {title} {{ #{chapter.anchor} }}\n")
        if chapter.opens_part:
            body.append(self._blocks(chapter.part.blocks, prose, lift=1))
        body.append(self._blocks(chapter.blocks, prose, lift=1))
        return self._page(
            chapter.path,
            plain(chapter.title),
            "".join(body),
            chapter.line,
            description=self._description(chapter),
        )

    def _front(self) -> Page:
        """Return the front page: what the book is, where to start, what is in it."""
        chapter = self.book.front
        prose = self.prose.page(chapter)
        title = prose.show(chapter.title, chapter.line - 1, has_terms=False)
        blocks = [b for b in chapter.blocks if not self.prose.is_set_aside(b)]
        lead, rest = blocks[:1], blocks[1:]
        heading = f"# {title} {{ #{chapter.anchor} }}" if chapter.anchor else ""
        body = (
            raw_block('<div class="hero">')
            + f"\n{heading}\n"
            + self._blocks(lead, prose, lift=1)
            + raw_block(self._start())
            + raw_block("</div>")
            + self._blocks(rest, prose, lift=1)
            + raw_block(self._contents())
        )
        return self._page(
            FRONT,
            "Cover",
            body,
            chapter.line,
            description=self._description(chapter),
            hide=["navigation", "toc"],
        )

    def _start(self) -> str:
        """Return the ways into the book, and how long it is."""
        links = []
        if len(self.book.chapters) > 1:
            first = self.book.chapters[1]
            links.append(
                f'<a class="md-button md-button--primary" href="{first.path}">'
                "Start reading</a>"
            )
        for listing in self.chunks.listings:
            if listing.page == LISTING:
                path = download_path(listing.output.path)
                links.append(
                    f'<a class="md-button" href="{LISTING}">The whole program</a>'
                    f'<a class="md-button" href="{path}" download>'
                    f"Download {path.rpartition('/')[2]}</a>"
                )
        counts = count_chapters(self.document)
        lines, words = sum(row[1] for row in counts), sum(row[2] for row in counts)
        size = (
            f"{len(self.book.chapters) - 1} chapters, {words:,} words, "
            f"{lines:,} lines of code"
        )
        return (
            f'<p class="start">{"".join(links)}</p><p class="continue" hidden></p>'
            f'<p class="size">{size}</p>'
        )

    def _contents(self) -> str:
        shown = []
        part = None
        for chapter in self.book.chapters[1:]:
            if chapter.part is not part:
                part = chapter.part
                name = f"<b>{escape(plain(part.title))}</b>" if part else ""
                shown.append(f"</ol>{name}<ol>")
            title = escape(plain(chapter.title))
            shown.append(f'<li><a href="{chapter.path}">{title}</a></li>')
        rows = f"<ol>{''.join(shown)}</ol>".replace("<ol></ol>", "")
        return f'<nav class="contents" aria-label="Contents">{rows}</nav>'

    def _back(self) -> list[Page]:
        """Return the pages behind the book, those that have something to show."""
        pages = []
        for listing in self.chunks.listings:
            if listing.page:
                pages.append(self._listing(listing))
        if any(listing.definitions for listing in self.chunks.listings):
            body = indexes.identifiers(self.chunks)
            described = "What the program defines, where, and what uses it."
            title = "Index of identifiers"
            pages.append(self._page(IDENTIFIERS, title, body, description=described))
        if self.document.chunks:
            body = indexes.chunk_names(self.chunks)
            described = "The named pieces of the program, from A to Z."
            title = "Index of chunks"
            pages.append(self._page(CHUNKS, title, body, description=described))
        if self.prose.terms:
            body = indexes.terms(self.prose.terms, self.prose.page())
            described = "The terms of the book, in the words that define them."
            title = "Index of terms"
            pages.append(self._page(TERMS, title, body, description=described))
        return pages

    def _listing(self, listing: Listing) -> Page:
        path, title = listing.output.path, "The full listing"
        body = indexes.listing_page(self.chunks, listing)
        if listing.page == LISTING:
            body += "\n## Downloads\n" + indexes.downloads(self.outputs)
        else:
            title = f"Listing of {path}"
        described = f"{path}, line by line, beside its chunks."
        body = f"# {title}\n{body}"
        return self._page(
            listing.page, title, body, description=described, search=_HIDDEN
        )

    def _whole(self) -> Page:
        """Return the book on one page, for printing and for those who scroll."""
        prose = self.prose.page()
        front = self.book.front
        title = prose.show(front.title, front.line - 1, has_terms=False)
        body = [f"# {title} {{ #{front.anchor or 'top'} }}\n"]
        for chapter in self.book.chapters:
            if chapter.opens_part:
                part = chapter.part
                title = prose.show(part.title, chapter.line - 1, has_terms=False)
                body.append(f"\n## {title} {{ #{part.anchor} .part }}\n")
                body.append(self._blocks(part.blocks, prose, opens=False))
            if chapter is not front:
                title = prose.show(chapter.title, chapter.line - 1, has_terms=False)
                body.append(f"\n## {title} {{ #{chapter.anchor} }}\n")
            body.append(self._blocks(chapter.blocks, prose, opens=False))
        return self._page(
            WHOLE,
            "The book on one page",
            "".join(body),
            1,
            description="Every chapter on one page, to be printed or searched.",
            search=_HIDDEN,
        )

    def _description(self, chapter: Chapter) -> str:
        """Return the first words of a chapter, for search engines and previews."""
        for block in chapter.blocks:
            if isinstance(block, Text) and not self.prose.is_set_aside(block):
                text = plain("".join(self.document.lines[block.start : block.end]))
                if len(text) <= _DESCRIBED:
                    return text
                return text[:_DESCRIBED].rpartition(" ")[0] + " …"
        return plain(chapter.title)

    # Blocks

    def _blocks(
        self, blocks: list[Block], prose: PageProse, lift: int = 0, opens: bool = True
    ) -> str:
        return "".join(self._block(block, prose, lift, opens) for block in blocks)

    def _block(self, block: Block, prose: PageProse, lift: int, opens: bool) -> str:
        if self.prose.is_set_aside(block):
            return ""
        if isinstance(block, Heading):
            anchor = self.book.heading_anchors[block.start]
            text = prose.show(block.text, block.start, has_terms=False)
            return f"\n{'#' * max(2, block.level - lift)} {text} {{ #{anchor} }}\n"
        if isinstance(block, Fence):
            return raw_block(self._fence(block, opens))
        text = "".join(self.document.lines[block.start : block.end])
        if isinstance(block, Html):
            markup = prose.relink(text.rstrip("\r\n"), block.start)
            return raw_block(_LAB_TAG.sub(partial(self._lab, block), markup))
        return f"\n{prose.show(text, block.start)}\n"

    def _fence(self, fence: Fence, opens: bool) -> str:
        piece = self.chunks.pieces.get(fence.start + 2)
        if piece:
            return self.chunks.figure(piece, opens)
        lines = self.document.lines[fence.start + 1 : fence.last]
        text = "".join(line.rstrip("\r\n") + "\n" for line in lines)
        language = fence.info.split()[0].lower() if fence.info else ""
        if language == "math":
            return self._formula(text, fence)
        if language == "mermaid":
            return self._diagram(text, fence)
        line = fence.start + 1 if language == "pycon" else None
        return highlight(text, language, line)

    def _formula(self, text: str, fence: Fence) -> str:
        try:
            formula = self.prose.mathematics.convert(text.strip(), display=True)
        except LatexError as error:
            return self._fault(fence, latex_message(error))
        return f'<div class="math">{formula}</div>'

    def _diagram(self, text: str, fence: Fence) -> str:
        try:
            drawing = self.around.draw(text)
        except DiagramError as error:
            return self._fault(fence, f"diagram: {error}".splitlines()[0])
        return f'<figure class="diagram">{drawing}</figure>'

    def _fault(self, fence: Fence, message: str) -> str:
        """Report what is wrong with a fenced block, which is not shown."""
        line = self.document.lines[fence.start].strip()
        self.prose.report(fence.start, line, message)
        return ""

    def _lab(self, block: Html, tag: re.Match[str]) -> str:
        """Return the head of a lab, with the bar from which it is started."""
        match = _LAB.fullmatch(tag[0])
        if not match:
            hint = 'write <div class="lab" data-lab="NAME" data-title="TITLE">'
            self.prose.report(block.start, tag[0], "this is no head of a lab", hint)
            return tag[0]
        name, title, exercise = match.groups()
        kind, data = "lab", ""
        self._check_name(block, "lab", name, self.around.labs)
        if exercise or name == "exercise":
            kind, data = "exercise", f' data-exercise="{exercise}"'
            self._check_name(block, "exercise", exercise or "", self.around.exercises)
        label = title if exercise else f"Lab: {title}"
        return (
            f'<div class="lab" data-lab="{name}"{data} role="group" '
            f'aria-label="{label}"><p class="lab-bar"><strong>{title}</strong> '
            f'<button type="button" class="lab-start">Start the {kind}</button> '
            "<small>Runs the program here, in Python. Loads about 6 MB, once.</small>"
            "</p>"
        )

    def _check_name(
        self, block: Html, kind: str, name: str, known: Collection[str]
    ) -> None:
        if name not in known:
            hint = did_you_mean(name, known) or f"known are {', '.join(sorted(known))}"
            message = f'there is no {kind} "{name}"'
            words = f'data-{kind}="{name}"' if name else 'data-lab="exercise"'
            self.prose.report(block.start, words, message, hint)


_HIDDEN = {"exclude": True}  # from the search: the page repeats others
_LAB_TAG = re.compile(r"<[^<>]*\sdata-lab\b[^<>]*>")
_LAB = re.compile(
    r'<div class="lab" data-lab="([\w-]+)" data-title="([^"]+)"'
    r'(?: data-exercise="([\w-]+)")?>'
)


def _localize(text: str, here: set[str]) -> str:
    """Shorten links from a page to itself to their anchors."""
    in_markdown = re.compile(r"(\]\()([^()\s#]+\.md)(?=#)")
    in_html = re.compile(r'(href=")([^"#]+\.md)(?=#)')

    def shorten(match: re.Match[str]) -> str:
        return match[1] if match[2] in here else match[0]

    parts = text.split(MARK)
    parts[0::2] = [in_markdown.sub(shorten, part) for part in parts[0::2]]
    parts[1::2] = [in_html.sub(shorten, part) for part in parts[1::2]]
    return MARK.join(parts)

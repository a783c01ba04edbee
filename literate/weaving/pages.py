"""From a document to the pages of a website: a pure function, text in, text out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from html import escape
from itertools import chain
from pathlib import PurePosixPath
from textwrap import shorten

from literate.core.blocks import Block, Fence, Heading, Html, Text
from literate.core.diagnostics import DocumentError, did_you_mean
from literate.core.document import Document
from literate.core.labs import labs_in
from literate.core.programs import Output
from literate.weaving import cover, indexes
from literate.weaving.book import LISTING, WHOLE, Book, Chapter
from literate.weaving.changes import find_changes, stages
from literate.weaving.chunks import Chunks, download_path
from literate.weaving.colours import highlight
from literate.weaving.diagrams import DiagramError
from literate.weaving.html import Page, curl, link, plain, raw, raw_block
from literate.weaving.map import PICTURE, Map
from literate.weaving.prose import PageProse, Prose, Surroundings

_DESCRIBED = 155  # characters of a description
_PROMISED = 130  # characters that several sentences have in the contents
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+(?=[\"*`$<A-Z])")
_LIST_OR_TABLE = re.compile(r"[|>]|([-*]|\d+\.)\s")
_FORMULA = re.compile(r"\$[^$]*(?:[_^{]|\\(?!log\b))[^$]*\$")


@dataclass
class Site:
    """What a document is woven into: pages, their order, and files to be downloaded."""

    name: str
    pages: list[Page] = field(default_factory=list)
    navigation: list = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


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
        self.prose = Prose(self.book, surroundings)
        self.chunks = Chunks(self.book, outputs)
        self.changes = find_changes(self.chunks)
        self.tasks = self._tasks()
        self.places = {block.start: n for n, block in enumerate(self.book.blocks)}
        self.map = Map(surroundings.map, self.chunks, self.prose)

    def site(self) -> Site:
        front, *chapters = self.book.chapters
        site = Site(front.plain_title.partition(":")[0])
        behind = [*self._listings(), *self._indexes(), self._whole()]
        pages = [self._front(), *map(self._chapter, chapters), *behind]
        site.pages = [self._finished(page) for page in pages]
        site.navigation = [{"Cover": front.path}]
        for part, listed in self.book.parts():
            entries = [{chapter.plain_title: chapter.path} for chapter in listed]
            site.navigation += [{part.plain_title: entries}] if part else entries
        entries = [{page.title: page.path} for page in behind]
        site.navigation.append({"Look it up": entries})
        site.files = {download_path(out.path): out.text for out in self.outputs}
        return site

    # Pages

    def _finished(self, page: Page) -> Page:
        """Return a page with its front matter, and with its links to itself short."""
        here = {page.path}
        if page.path == WHOLE:
            here = {chapter.path for chapter in self.book.chapters}
        meta = {"description": page.description, **page.meta}
        head = "\n".join(f"{key}: {json.dumps(value)}" for key, value in meta.items())
        body = _localize(page.text, here, up="../" * page.path.count("/"))
        definitions = "".join(self.prose.link_definitions)
        return replace(page, text=f"---\n{head}\n---\n\n{body}\n\n{definitions}")

    def _page(self, chapter: Chapter, body: str, **meta) -> Page:
        description = self._description(chapter)
        title, line = chapter.plain_title, chapter.line
        return Page(chapter.path, title, body, description, line, meta)

    def _chapter(self, chapter: Chapter) -> Page:
        prose = PageProse(self.prose, chapter)
        body = self._part(chapter, prose)
        numbers = _numbers(chapter)
        body += f"\n# {prose.title(chapter)} {{ #{chapter.anchor}{numbers} }}\n"
        if not chapter.is_opening:
            body += raw_block(self.map.beside(chapter))
        body += self._blocks(chapter.blocks, prose)
        terms = self.prose.terms.values()
        defined = [term.word for term in terms if term.chapter is chapter]
        # The search shows them, and by them it finds this chapter first.
        return self._page(chapter, body, **({"tags": defined} if defined else {}))

    def _part(self, chapter: Chapter, prose: PageProse) -> str:
        """Return the line above a chapter's title: its part, and how long it takes."""
        part = chapter.part
        if not part or chapter.is_opening:
            return ""
        anchor, title = "", prose.title(part)
        if chapter.opens_part:
            anchor = f" #{part.anchor}"
        elif self.book.chapter_at(part.line).is_opening:
            title = raw(self.book.chapter_at(part.line).link)
        minutes = cover.minutes(self.book, chapter)
        return f"\n{title} · {minutes} min\n{{: .part{anchor} }}\n"

    def _front(self) -> Page:
        """Return the front page: what the book is, where to start, what is in it."""
        front, run = self.book.front, self.around.run
        prose = PageProse(self.prose, front)
        lead = f'<p class="lead">{escape(self.around.lead)}</p>'
        body = (
            raw_block('<div class="hero"><div>')
            + f"\n# {prose.title(front)} {{ #{front.anchor} }}\n"
            + raw_block(
                lead + cover.start(self.book, self.chunks, self.around.pdf) + "</div>"
            )
            + raw_block((cover.training(run) if run else "") + "</div>")
            + raw_block('<div class="preface">')
            + self._blocks(front.blocks, prose)
            + raw_block("</div>")
            + raw_block(cover.contents(self.book, self._promise))
        )
        return self._page(front, body, hide=["navigation", "toc"])

    def _listings(self) -> Iterator[Page]:
        for listing in self.chunks.listings:
            if not listing.page:
                continue
            path = listing.output.path
            title, downloads = f"Listing of {path}", ""
            if listing.page == LISTING:
                title = "The full listing"
                files = indexes.downloads(self.outputs, self.around.pdf)
                downloads = f"\n## Downloads\n{files}"
            body = f"# {title}\n{indexes.listing(self.chunks, listing)}{downloads}"
            described = f"{path}, line by line, beside its chunks."
            yield Page(listing.page, title, body, described, None, _HIDDEN)

    def _indexes(self) -> Iterator[Page]:
        """Yield the indexes that have something to show."""
        for page in (
            indexes.identifiers(self.chunks),
            indexes.chunk_names(self.chunks),
        ):
            if page.text:
                text = f"# {page.title}\n\n{page.description}\n{page.text}"
                yield replace(page, text=text, meta=_LAST)

    def _whole(self) -> Page:
        """Return the book on one page, for printing and for those who scroll."""
        prose = PageProse(self.prose)
        front = self.book.front
        body = f"# {prose.title(front)} {{ #{front.anchor} }}\n"
        body += self._blocks(front.blocks, prose)
        body += raw_block(self._book_contents())
        starts = {chapter.line - 1: chapter for chapter in self.book.chapters[1:]}
        end = ""
        for block in self.book.blocks[len(front.blocks) :]:
            if block.start in starts:
                # A sheet is laid out when it is near, so it counts for itself.
                figures = f"counter-reset: figure {starts[block.start].figures_before}"
                body += raw_block(f'{end}<div class="sheet" style="{figures}">')
                end = "</div>"
            body += self._block(block, prose)
        body += raw_block(end) if end else ""
        title = "The book on one page"
        described = "Every chapter on one page, to be printed or searched."
        return Page(WHOLE, title, body, described, 1, _HIDDEN)

    def _book_contents(self) -> str:
        """Return the contents of the one page."""
        shown = ""
        for part, chapters in self.book.parts():
            opens = part and not chapters[0].is_opening
            for section in [part, *chapters] if opens else chapters:
                number = getattr(section, "number", 0)
                kind = f' value="{number}"' if number else ' class="part"'
                entry = link(f"#{section.anchor}", section.plain_title)
                shown += f"<li{kind}>{entry}</li>"
        return f'<nav class="book-contents"><h2>Contents</h2><ol>{shown}</ol></nav>'

    def _description(self, chapter: Chapter) -> str:
        """Return the first sentences of a chapter, for search engines and previews."""
        title = f"{chapter.plain_title}, from “{self.book.front.plain_title}”."
        least = _DESCRIBED / 2
        return self._first_sentences(chapter, least, _DESCRIBED) or title

    def _promise(self, chapter: Chapter) -> str:
        """Return how a chapter begins, for the contents."""
        return self._first_sentences(chapter, 0, _PROMISED)

    def _first_sentences(self, chapter: Chapter, least: float, most: int) -> str:
        for block in chapter.blocks:
            text = self.book.text(block).strip()
            is_prose = isinstance(block, Text) and not _LIST_OR_TABLE.match(text)
            if is_prose and not self.prose.is_set_aside(block):
                described = _first_sentences(_SENTENCE_END.split(text), least, most)
                if described:
                    return described
        return ""

    # Blocks

    def _blocks(self, blocks: list[Block], prose: PageProse) -> str:
        return "".join(self._block(block, prose) for block in blocks)

    def _block(self, block: Block, prose: PageProse) -> str:
        if self.prose.is_set_aside(block):
            return ""
        if isinstance(block, Heading):
            anchor = self.book.heading_anchors[block.start]
            text = prose.show(block.text, block.start, has_terms=False)
            level = max(2, block.level if prose.is_whole else block.level - 1)
            marks = " .part" if block.level == 1 else ""
            if block.level == 2:
                marks = _numbers(self.book.chapter_at(block.start + 1))
            return f"\n{'#' * level} {text} {{ #{anchor}{marks} }}\n"
        if isinstance(block, Fence):
            return raw_block(self._fence(block, opens=not prose.is_whole))
        text = self.book.text(block)
        if self.map.drawing and text.strip().endswith(PICTURE):
            drawing = self._map_of_part(block)
            frame = '<p class="map map-frame" data-search-exclude>'
            return raw_block(f"{frame}{drawing}</p>")
        if isinstance(block, Html):
            markup = prose.relink(text.rstrip("\r\n"), block.start)
            return raw_block(_LAB_TAG.sub(partial(self._lab, block), markup))
        if self._is_hints(block):
            return self._hints(text, block, prose)
        return f"\n{prose.show(text, block.start)}\n"

    def _tasks(self) -> dict[str, str]:
        """Return the tasks by the names of their chunks, and of those within them."""
        found = {chunk: task for task, chunk in self.around.exercises.items() if chunk}
        inside = [*found]
        for name in inside:
            for piece in self.document.chunks[name].pieces:
                for reference in piece.references:
                    found[reference.name] = found[name]
                    inside.append(reference.name)
        return found

    def _is_hints(self, block: Block) -> bool:
        """Tell whether a text stands behind the words of a task."""
        place = self.places[block.start]
        head = self.book.blocks[place - 2] if place > 1 else block
        return any(lab.task for lab in self.book.labs(head))

    def _hints(self, text: str, block: Block, prose: PageProse) -> str:
        """Return hints, to be opened one after another."""
        shown = ""
        for number, hint in enumerate(_HINT.split(text)[1:], start=1):
            title = f'<details class="hint"><summary>Hint {number}</summary>'
            body = prose.show(hint, block.start)
            shown += f"{raw_block(title)}\n{body}\n{raw_block('</details>')}"
        return shown

    def _fence(self, fence: Fence, opens: bool) -> str:
        piece = self.chunks.pieces.get(fence.start + 2)
        if piece:
            return self.chunks.figure(
                piece, opens, self.tasks.get(piece.name, "")
            ) + self.changes.get(piece, "")
        lines = self.document.lines[fence.start + 1 : fence.last]
        text = "".join(line.rstrip("\r\n") + "\n" for line in lines)
        language = fence.info.split()[0].lower() if fence.info else ""
        words = self.document.lines[fence.start].strip()
        if language == "math":
            formula = self.prose.formula(text.strip(), fence.start, words, True)
            return f'<div class="math">{formula}</div>'
        if language == "mermaid":
            drawing = self._diagram(text, fence, words)
            width = re.search(r' width="([\d.]+)"', drawing)
            style = f' style="--width: {width[1]}px"' if width else ""
            return f'<figure class="diagram"{style}>{drawing}</figure>'
        line = fence.start + 1 if language == "pycon" else None
        chapter = self.book.chapter_at(fence.start + 1)
        return highlight(text, language, line, chapter.anchor)

    def _map_of_part(self, block: Block) -> str:
        """Return the map, with what the chapters of a block's part are about lit."""
        part = self.book.chapter_at(block.start + 1).part
        return self.map.draw([each for each in self.book.chapters if each.part is part])

    def _diagram(self, text: str, fence: Fence, words: str) -> str:
        try:
            return self.around.draw(text)
        except DiagramError as error:
            message = f"diagram: {error}".splitlines()[0]
            self.prose.report(fence.start, words, message)
            return ""

    def _lab(self, block: Html, tag: re.Match[str]) -> str:
        """Return the head of a lab, with the bar from which it is started."""
        labs = labs_in(tag[0])
        if not labs:
            hint = 'write <div class="lab" data-lab="NAME" data-title="TITLE">'
            self.prose.report(block.start, tag[0], "this is no head of a lab", hint)
            return tag[0]
        [lab] = labs
        title = curl(lab.title)
        self._check_name(block, "lab", lab.name, self.around.labs)
        kind, label = "lab", f"Lab: {title}"
        if lab.name == "stage":
            kind, label = "stage", title
            self._check_name(block, kind, lab.stage, self._stages())
        if lab.name == "exercise":
            kind = "task" if lab.task else "exercise"
            label = f'{title}" id="exercise-{lab.exercise}'
            self._check_name(block, "exercise", lab.exercise, self.around.exercises)
        return (
            f'{tag[0].removesuffix(">")} role="group" aria-label="{label}">'
            f'<p class="lab-bar"><strong>{title}</strong> '
            f'<button type="button" class="lab-start">Start the {kind}</button> '
            "<small>Runs the program here, in Python. Loads about 6 MB, once.</small>"
            f"</p>{self._path() if lab.name == PATH else ''}"
        )

    def _path(self) -> str:
        """Return all tasks, part by part, each a link to where it stands."""
        shown, number = "", 1
        for part, chapters in self.book.parts():
            entries = [
                f'<li><a data-solves="{lab.exercise}" '
                f'href="{chapter.path}#exercise-{lab.exercise}">{curl(lab.task)}</a></li>'
                for chapter in chapters
                for lab in chain.from_iterable(map(self.book.labs, chapter.blocks))
                if lab.task
            ]
            if entries:
                title = escape(part.plain_title) if part else ""
                tasks = "".join(entries)
                shown += f'<p class="path-part">{title}</p>' if title else ""
                shown += f'<ol class="path" start="{number}">{tasks}</ol>'
            number += len(entries)
        return shown + _COVER

    def _stages(self) -> list[str]:
        return [PurePosixPath(path).stem for path in stages(self.document)]

    def _check_name(
        self, block: Html, kind: str, name: str, known: Collection[str]
    ) -> None:
        if name not in known:
            hint = did_you_mean(name, known) or f"known are {', '.join(sorted(known))}"
            message = f'there is no {kind} "{name}"'
            words = f'data-{kind}="{name}"' if name else f'data-lab="{kind}"'
            self.prose.report(block.start, words, message, hint)


_HIDDEN = {"search": {"exclude": True}}  # from the search: the page repeats others
_LAST = {"search": {"boost": 0.1}}  # found after the chapters that explain
PATH = "path"  # the lab that lists the tasks
_COVER = (
    '<p class="path-cover"><label><input type="checkbox"> Cover the book’s code of '
    "tasks that are not solved yet</label></p>"
)
_HINT = re.compile(r"^\d\. ", re.MULTILINE)
_LAB_TAG = re.compile(r"<[^<>]*\sdata-lab\b[^<>]*>")


def _first_sentences(sentences: Iterable[str], least: float, most: int) -> str:
    """Return sentences of Markdown without its marks: about `most` characters.

    One that would be too long ends them, if `least` are there; else it is the last, and
    is cut where descriptions are. The
    first may lead to something by a colon. None has a formula that needs LaTeX.
    """
    described = ""
    for sentence in sentences:
        if not described and sentence.endswith(":"):
            sentence = f"{sentence[:-1]}."
        if _FORMULA.search(sentence) or sentence.endswith(":"):
            continue
        longer = f"{described} {plain(sentence)}".strip()
        if len(longer) > most and len(described) > least:
            break
        described = longer
    return shorten(described, _DESCRIBED, placeholder=" …")


def _numbers(chapter: Chapter) -> str:
    """Return a heading's attributes from which the printed page counts."""
    figures = f"figure {chapter.figures_before}"
    if not chapter.number:
        return f' style="counter-reset: {figures}"'
    return f' .chapter style="counter-reset: chapter {chapter.number} {figures}"'


def _localize(text: str, here: set[str], up: str) -> str:
    """Shorten links from a page to itself to their anchors, in Markdown and in HTML.

    In Markdown, where paths are those from the page's folder, `up` leads out of it.
    """

    def lead(match: re.Match[str]) -> str:
        start, path = match.groups()
        if path in here:
            return start
        return f"{start}{up}{path}" if start == "](" else match[0]

    return re.sub(r'(\]\(|href=")([^()\s#":]+\.md(?=#)|figures/[^()\s":]+)', lead, text)

"""The map of the model: a drawing whose regions lead to what computes them.

A region of the drawing says for which names it stands: definitions of the program, of
which the first computes it, and terms of the glossary. So the map knows from the
document alone where each region leads, and which chapters are about it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import chain

from literate.core.document import Piece
from literate.weaving.book import Chapter
from literate.weaving.chunks import Chunks
from literate.weaving.listings import Listing
from literate.weaving.prose import Prose

PICTURE = "](web/figures/map.svg)"  # what the map stands in place of
_SHOWN = 6  # regions that are named above a map that is folded
_SIZE = re.compile(r'viewBox="0 0 (\d+) (\d+)"')
_REGION = re.compile(
    r"""
    <g\ class="region"\ data-region="(?P<name>[^"]*)"\ data-at="(?P<place>[^"]*)"
    \ data-defined="(?P<defined>[^"]*)"\ data-terms="(?P<terms>[^"]*)">
    (?P<shapes>.*?)</g>
    """,
    re.DOTALL | re.VERBOSE,
)


@dataclass
class Region:
    """A part of the map: its name, where it is, what computes it, the pages about it.

    `place` is left, top, width and height on the drawing.
    """

    name: str
    place: str
    piece: Piece | None
    pages: set[str] = field(default_factory=set)


class Map:
    """The map of a book's model, "" where it has none."""

    def __init__(self, drawing: str, chunks: Chunks, prose: Prose) -> None:
        self.drawing = drawing
        self.chunks = chunks
        self.prose = prose
        self.regions = {
            match["name"]: self._region(match) for match in _REGION.finditer(drawing)
        }

    def here(self, chapters: Collection[Chapter]) -> list[Region]:
        """Return the regions that chapters are about."""
        paths = {chapter.path for chapter in chapters}
        return [region for region in self.regions.values() if region.pages & paths]

    def draw(self, chapters: Collection[Chapter]) -> str:
        """Return the drawing, what chapters are about filled, its regions with links.

        Both belong into a frame of the class "map-frame".
        """
        here = {region.name for region in self.here(chapters)}

        def fill(match: re.Match[str]) -> str:
            mark = ' class="here"' if match["name"] in here else ""
            return f"<g{mark}>{match['shapes']}</g>"

        links = [self._link(each, each.name in here) for each in self.regions.values()]
        drawing = _REGION.sub(fill, self.drawing)
        return drawing + "".join(links)

    def beside(self, chapter: Chapter) -> str:
        """Return the map for the page of a chapter; "" if no region is about it."""
        here = self.here([chapter])
        if not here:
            return ""
        names = [region.name for region in here]
        more = len(names) - _SHOWN
        said = ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        return (
            '<nav class="map" aria-label="Map of the model" data-search-exclude>'
            f"<details><summary>On the map: <b>{escape(said)}</b></summary>"
            f'<div class="map-frame">{self.draw([chapter])}</div></details></nav>'
        )

    def _link(self, region: Region, is_here: bool) -> str:
        """Return a link that lies on a region."""
        if region.piece is None:
            return ""
        chapter = self.chunks.book.chapter_at(region.piece.line).plain_title
        name = escape(f"{region.name}: {chapter}, ⟨{region.piece.name}⟩")
        current = ' aria-current="true"' if is_here else ""
        return (
            f'<a class="to-chunk" href="{self.chunks.url(region.piece)}" '
            f'aria-label="{name}" style="{self._style(region.place)}"{current}></a>'
        )

    def _style(self, place: str) -> str:
        """Return where on the drawing a place is, in percent."""
        whole = [*map(int, _SIZE.search(self.drawing).groups())] * 2
        shares = [100 * float(x) / y for x, y in zip(place.split(), whole)]
        names = ("left", "top", "width", "height")
        return ";".join(f"{n}:{share:.1f}%" for n, share in zip(names, shares))

    def _region(self, match: re.Match[str]) -> Region:
        names = match["defined"].split()
        found = [[*_pieces(listing, names)] for listing in self.chunks.listings]
        piece = found[0][0] if found and found[0] else None
        region = Region(match["name"], match["place"], piece)
        for piece in chain(*found):
            chunk = self.chunks.document.chunks[piece.name]
            variants = [each for pieces in chunk.variants.values() for each in pieces]
            region.pages |= {self.chunks.page(each) for each in [piece, *variants]}
        known = filter(None, map(self.prose.term, match["terms"].split(", ")))
        region.pages |= {term.chapter.path for term in known}
        return region


def _pieces(listing: Listing, names: list[str]) -> Iterator[Piece]:
    """Yield the pieces in which a program defines names, in the order of the names.

    `gpt.q` is the first binding of q in the function gpt.
    """
    places = {}
    owner = ""
    for definition in listing.definitions:
        name = definition.name
        if definition.is_local:
            name = f"{owner}.{name}"
        elif definition.kind == "function":
            owner = name
        places.setdefault(name, definition.place)
    for name in names:
        if name in places:
            yield listing.origin(places[name]).piece

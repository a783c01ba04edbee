"""The programs that pages number and link: how lines and names lead to definitions."""

from __future__ import annotations

from pathlib import PurePosixPath

from literate.core.document import Document, Piece
from literate.core.programs import Origin, Output, tangle
from literate.weaving.book import LISTING
from literate.weaving.html import Slugs
from literate.weaving.identifiers import Definition, Place, find_definitions


class Listing:
    """A program, or a variant of one: its definitions, and the names in its lines.

    `page` is the page that lists it, and `prefix` begins the anchors of its lines;
    both are None where lines have no numbers: in data and in variants. `names` gives
    what the name at a place in the document stands for.
    """

    def __init__(
        self, output: Output, page: str | None = None, prefix: str | None = None
    ) -> None:
        self.output = output
        self.page = page
        self.prefix = prefix
        self.definitions: list[Definition] = []
        if output.is_python:
            self.definitions = find_definitions(output.text)
        self.names = {
            self.origin(place): definition
            for definition in self.definitions
            for place in [*definition.uses, definition.place]
        }

    def origin(self, place: Place) -> Origin:
        """Return where a place in the program comes from."""
        line, column = place
        return self.output.origin(line, column + 1)

    @property
    def pieces(self) -> list[Piece]:
        """The pieces that it is made of, in the order of their first lines."""
        return list(dict.fromkeys(span.piece for span in self.output.spans))


def list_programs(document: Document, outputs: list[Output]) -> list[Listing]:
    """Return the programs that a document tangles into, the main one first, and data.

    The main program has the document's name; without such a one, it is the first.
    Outputs that are no root of the document are left out.
    """
    is_data = {root.path: root.pieces[0].is_data for root in document.roots}
    programs = [o for o in _main_first(document, outputs) if o.path in is_data]
    slugs = Slugs()
    listings = []
    for output in sorted(programs, key=lambda output: is_data[output.path]):
        name = slugs.unique(output.path)
        if is_data[output.path]:
            listings.append(Listing(output))
        elif not listings:
            listings.append(Listing(output, LISTING, "L"))
        else:
            listings.append(Listing(output, f"listing-{name}.md", f"{name}-L"))
    return listings


def list_variants(document: Document) -> list[Listing]:
    """Return the programs that the variants of a document change, as they make them."""
    return [
        Listing(output)
        for variant in document.variants
        for output in _main_first(document, tangle(document, variant))
    ]


def _main_first(document: Document, outputs: list[Output]) -> list[Output]:
    main = f"build/{PurePosixPath(document.name).stem}.py"
    return sorted(outputs, key=lambda output: output.path != main)

"""The pages behind the book: listings, downloads, and the entries of the indexes."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby

from literate.core.document import Piece
from literate.core.programs import Origin, Output
from literate.weaving.book import CHUNKS, IDENTIFIERS
from literate.weaving.chunks import Chunks, download_path, piece_tokens, variant_mark
from literate.weaving.html import Page, link, raw_block, slug
from literate.weaving.identifiers import Definition
from literate.weaving.listings import Listing


def listing(chunks: Chunks, program: Listing) -> str:
    """Return a program's page: each run of lines beside the chunk it comes from."""
    output = program.output
    numbers = range(1, output.last_line + 1)
    runs = "".join(
        _run(chunks, program, piece, [*run])
        for piece, run in groupby(numbers, lambda number: output.origin(number).piece)
    )
    return (
        f"\nThe file `{output.path}`, as it is tangled from the book: "
        f"{output.last_line:,} lines. The number of a line leads to where the "
        "book explains it, and the name beside the lines is that of their chunk.\n"
        + raw_block(f'<div class="listing highlight">{runs}</div>')
    )


def downloads(outputs: Iterable[Output], pdf: str) -> str:
    """Return the list of files that a reader can take away."""
    items = [f'<li><a href="{pdf}">{pdf.split("/")[-1]}</a></li>'] if pdf else []
    for output in outputs:
        path = download_path(output.path)
        name = path.removeprefix("downloads/")
        size = max(1, round(len(output.text.encode()) / 1000))
        items.append(f'<li><a href="{path}" download>{name}</a> {size:,} KB</li>')
    return raw_block(f'<ul class="downloads">{"".join(items)}</ul>')


def _run(chunks: Chunks, listing: Listing, piece: Piece, numbers: list[int]) -> str:
    """Return the lines of a program, one after the other, that come from one piece."""
    tokens = piece_tokens(piece)
    lines = []
    for number in numbers:
        origin = listing.output.origin(number)
        line = tokens[origin.line - piece.line - 1]
        indent = listing.output.span(number).indent if line else ""
        lines.append(
            f'<a class="n" id="{listing.prefix}{number}" '
            f'href="{chunks.line_url(origin)}" data-n="{number}" '
            f'tabindex="-1" aria-label="Line {number} in the book"></a>'
            f"{indent}{''.join(token.markup() for token in line)}\n"
        )
    is_frame = numbers[0] > 1 and chunks.document.chunks[piece.name].path
    name = "" if is_frame else chunks.link(piece)
    return f'<div class="stretch">{name}<pre>{"".join(lines)}</pre></div>'


def identifiers(chunks: Chunks) -> Page:
    """Return the index of identifiers: what each is, where defined, where used.

    What several programs share is there once.
    """
    entries: dict[tuple[str, Origin], tuple[Definition, dict[Piece, None]]] = {}
    for listing in chunks.listings:
        for definition in listing.definitions:
            if definition.is_local or definition.kind == "import":
                continue
            key = definition.name, listing.origin(definition.place)
            _, users = entries.setdefault(key, (definition, {}))
            users.update((listing.origin(use).piece, None) for use in definition.uses)
    order = sorted(entries, key=lambda key: (key[0].lstrip("_").casefold(), key))
    shown = _lettered(
        (name.lstrip("_"), _identifier(chunks, origin, *entries[name, origin]))
        for name, origin in order
    )
    about = (
        "The classes, functions, attributes and constants of the program: where each "
        "is defined, and which chunks use it."
    )
    return Page(IDENTIFIERS, "Index of identifiers", shown, about)


def _identifier(
    chunks: Chunks, origin: Origin, definition: Definition, users: Iterable[Piece]
) -> str:
    return (
        f'<a class="entry" href="{chunks.line_url(origin)}">'
        f"<code>{escape(definition.name)}</code></a> "
        f'<span class="kind">{definition.kind}</span> '
        f"{chunks.link(origin.piece)}{_used_in(chunks, users)}"
    )


def _used_in(chunks: Chunks, users: Iterable[Piece]) -> str:
    links = ", ".join(chunks.link(user) for user in users)
    return f'<span class="uses">used in {links}</span>' if links else ""


def chunk_names(chunks: Chunks) -> Page:
    """Return the index of chunks: where each is defined, and where it is used."""
    every = sorted(chunks.document.chunks.values(), key=lambda c: c.name.casefold())
    shown = _lettered((each.name, _chunk(chunks, each.all_pieces())) for each in every)
    about = "The named pieces of the program, in the order of the alphabet."
    return Page(CHUNKS, "Index of chunks", shown, about)


def _chunk(chunks: Chunks, pieces: list[Piece]) -> str:
    places = []
    for piece in pieces:
        chapter = chunks.book.chapter_at(piece.line).plain_title
        places.append(f"{link(chunks.url(piece), chapter)}{variant_mark(piece)}")
    name, url = escape(pieces[0].name), chunks.url(pieces[0])
    used = _used_in(chunks, dict.fromkeys(chunks.users(pieces[0].name)))
    return f'<a class="entry" href="{url}">⟨{name}⟩</a> {", ".join(places)}{used}'


def _lettered(entries: Iterable[tuple[str, str]]) -> str:
    """Return entries as lists under their first letters."""
    shown = ""
    for letter, group in groupby(entries, key=lambda entry: entry[0][:1].upper()):
        items = "".join(f"<li>{markup}</li>" for _, markup in group)
        name = escape(letter) if letter.isalnum() else "Signs"
        shown += raw_block(
            f'<h2 id="letter-{slug(name)}">{name}</h2><ul class="index">{items}</ul>'
        )
    return shown

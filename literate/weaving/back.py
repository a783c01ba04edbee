"""The pages behind the book: listings, downloads, and the indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from literate.core.document import Piece
from literate.core.programs import Output
from literate.weaving.code import Code, Program, tokens_as_html
from literate.weaving.html import escape, raw, raw_block, slug
from literate.weaving.identifiers import Definition
from literate.weaving.prose import PageProse, Term, plain


def download_path(output: Output) -> str:
    """Return the address of an output's file on the site."""
    return f"downloads/{output.path.removeprefix('build/')}"


def listing(code: Code, program: Program) -> str:
    """Return a program's page: each run of lines beside the chunk it comes from."""
    path = escape(program.output.path)
    count = f"{len(program.lines):,}"
    runs = "".join(_run(code, program, *run) for run in _runs(program))
    return (
        f"# The full listing\n\nThe file `{path}`, as it is tangled from the book: "
        f"{count} lines. The number of a line leads to where the book explains it, "
        "and the name beside the lines is that of their chunk.\n"
        + raw_block(f'<div class="listing highlight">{runs}</div>')
    )


def downloads(outputs: Iterable[Output]) -> str:
    """Return the list of files that a reader can take away."""
    items = []
    for output in outputs:
        path = download_path(output)
        name = path.removeprefix("downloads/")
        size = max(1, round(len(output.text.encode()) / 1000))
        items.append(
            f'<li><a href="{escape(path)}" download>{escape(name)}</a> {size:,} KB</li>'
        )
    return raw_block(f'<ul class="downloads">{"".join(items)}</ul>')


def _runs(program: Program) -> Iterator[tuple[Piece, int, int]]:
    """Yield the runs of lines that come from one piece: first and last line."""
    spans = program.output.spans
    for _, group in groupby(spans, key=lambda span: id(span.piece)):
        run = [*group]
        yield run[0].piece, run[0].line + 1, run[-1].line + run[-1].count


def _run(code: Code, program: Program, piece: Piece, first: int, last: int) -> str:
    lines = []
    for number in range(first, last + 1):
        anchor = f"{program.prefix}{number}"
        url = code.line_url(program, number)
        lines.append(
            f'<a class="n" id="{anchor}" href="{url}" data-n="{number}" tabindex="-1" '
            f'aria-label="Line {number} in the book"></a>'
            f"{tokens_as_html(program, number)}\n"
        )
    is_frame = first > 1 and code.document.chunks[piece.name].path
    name = "" if is_frame else code.link(piece)
    return f'<div class="run">{name}<pre>{"".join(lines)}</pre></div>'


def identifiers(code: Code) -> str:
    """Return the index of identifiers: what each is, where defined, where used."""
    entries = [
        (definition.name, program, definition)
        for program in code.programs
        for definition in program.definitions
        if not definition.is_local and definition.kind != "import"
    ]
    entries.sort(key=lambda entry: (entry[0].lstrip("_").casefold(), entry[0]))
    shown = _lettered(
        (name.lstrip("_"), _identifier(code, program, definition))
        for name, program, definition in entries
    )
    return (
        "# Index of identifiers\n\nThe classes, functions, attributes and constants "
        "of the program: where each is defined, and which chunks use it.\n"
        + raw_block(shown)
    )


def _identifier(code: Code, program: Program, definition: Definition) -> str:
    line = definition.place[0]
    home = program.output.origin(line).piece
    users = _unique(program.output.origin(use[0]).piece for use in definition.uses)
    used = ", ".join(code.link(piece) for piece in users)
    return (
        f'<a class="entry" href="{code.line_url(program, line)}">'
        f"<code>{escape(definition.name)}</code></a> "
        f'<span class="kind">{definition.kind}</span> {code.link(home)}'
        + (f'<span class="uses">used in {used}</span>' if used else "")
    )


def chunks(code: Code) -> str:
    """Return the index of chunks: where each is defined, and where it is used."""
    every = sorted(code.document.chunks.values(), key=lambda c: c.name.casefold())
    shown = _lettered((chunk.name, _chunk(code, chunk.all_pieces())) for chunk in every)
    return (
        "# Index of chunks\n\nThe named pieces of the program, in the order of the "
        "alphabet.\n" + raw_block(shown)
    )


def _chunk(code: Code, pieces: list[Piece]) -> str:
    places = []
    for piece in pieces:
        chapter = escape(plain(code.book.chapter_at(piece.line).title))
        variant = f" (variant {escape(piece.variant)})" if piece.variant else ""
        places.append(f'<a href="{code.url(piece)}">{chapter}</a>{variant}')
    users = _unique(code.users(pieces[0].name))
    used = ", ".join(code.link(user) for user in users)
    return (
        f'<a class="entry" href="{code.url(pieces[0])}">⟨{escape(pieces[0].name)}⟩</a> '
        f"{', '.join(places)}"
        + (f'<span class="uses">used in {used}</span>' if used else "")
    )


def terms(every: list[Term], prose: PageProse) -> str:
    """Return the index of terms: each in the sentence that defines it."""
    items = []
    for term in sorted(every, key=lambda term: plain(term.name).casefold()):
        used = ", ".join(
            f"[{plain(chapter.title)}]({chapter.path})" for chapter in term.used_in
        )
        title = plain(term.chapter.title)
        items.append(
            raw_block(f'<div class="entry-term" id="{term.anchor}">')
            + "\n"
            + raw(f'<a href="{term.url}"><b>{escape(plain(term.name))}</b></a> · ')
            + prose.show(term.sentence, 0, has_terms=False)
            + raw(f' <span class="uses">defined in <a href="{term.url}">')
            + escape(title)
            + raw("</a>")
            + (f", used in {used}" if used else "")
            + raw("</span>")
            + "\n"
            + raw_block("</div>")
        )
    return "# Index of terms\n\nThe terms, in the words that define them.\n" + "".join(
        items
    )


def _unique(pieces: Iterable[Piece]) -> list[Piece]:
    return [*{id(piece): piece for piece in pieces}.values()]


def _lettered(entries: Iterable[tuple[str, str]]) -> str:
    """Return entries as lists under their first letters."""
    shown = []
    for letter, group in groupby(entries, key=lambda entry: entry[0][:1].upper()):
        items = "".join(f"<li>{markup}</li>" for _, markup in group)
        name = escape(letter) if letter.isalnum() else "Signs"
        shown.append(
            f'<h2 id="letter-{slug(name)}">{name}</h2><ul class="index">{items}</ul>'
        )
    return "".join(shown)

"""What changed from one program to the next: functions and classes, one by one.

A program under build/stages/ follows the one that is defined before it, and the
document's own program follows the last of them. Comments, imports and the order of the
definitions are not told.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from difflib import unified_diff
from html import escape
from itertools import pairwise
from pathlib import PurePosixPath

from literate.core.blocks import split_lines
from literate.core.document import Document, Piece
from literate.weaving.chunks import Chunks
from literate.weaving.listings import Listing

STAGES = "build/stages/"
_CONTEXT = 2  # lines around a change that stayed


def stages(document: Document) -> list[str]:
    """Return the paths of the stages, in the order in which they are defined."""
    return [root.path for root in document.roots if root.path.startswith(STAGES)]


def find_changes(chunks: Chunks) -> dict[Piece, str]:
    """Return what changed since the program before, by the piece that begins the later.

    It is HTML, folded.
    """
    document = chunks.document
    own = f"build/{PurePosixPath(document.name).stem}.py"
    listings = {each.output.path: each for each in chunks.listings}
    paths = [path for path in (*stages(document), own) if path in listings]
    programs = [_Program(chunks, listings[path]) for path in paths]
    return {new.root: _changes(old, new) for old, new in pairwise(programs)}


class _Program:
    """The functions and classes of a program, as far as its root's first piece goes.

    The pieces with which a root is continued are other matters.
    """

    def __init__(self, chunks: Chunks, listing: Listing) -> None:
        output = listing.output
        self.chunks = chunks
        self.listing = listing
        self.root, *others = chunks.document.chunks[output.path].pieces
        ends = [span.line for span in output.spans if span.piece in others]
        self._lines = split_lines(output.text)[: min(ends, default=None)]
        self._nodes = {node.name: node for node in _definitions("".join(self._lines))}
        self._places = {each.name: each.place for each in listing.definitions}

    @property
    def title(self) -> str:
        """What the text calls it: stage3_values.py is stage 3."""
        name = PurePosixPath(self.listing.output.path).stem.partition("_")[0]
        return re.sub(r"(?<=\D)(?=\d)", " ", name)

    def without(self, other: _Program) -> list[str]:
        """Return the names that another program lacks."""
        return [name for name in self._nodes if name not in other._nodes]

    def changed(self, before: _Program) -> list[str]:
        """Return the names whose code is not that of an earlier program."""
        both = [name for name in self._nodes if name in before._nodes]
        return [name for name in both if self._code(name) != before._code(name)]

    def lines(self, name: str) -> list[str]:
        """Return the lines of a definition."""
        node = self._nodes[name]
        lines = self._lines[node.lineno - 1 : node.end_lineno]
        return [line.rstrip() for line in lines]

    def link(self, name: str) -> str:
        """Return a name as a link to its definition."""
        shown = f"<code>{escape(name)}</code>"
        if name not in self._places:
            return shown
        url = self.chunks.line_url(self.listing.origin(self._places[name]))
        return f'<a href="{url}">{shown}</a>'

    def _code(self, name: str) -> str:
        return ast.dump(self._nodes[name])


def _definitions(text: str) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Yield what a text defines; one that Python cannot read defines nothing."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node


def _changes(old: _Program, new: _Program) -> str:
    """Return the names that are new and gone, and what changed in the others."""
    shown = _row("New", map(new.link, new.without(old)))
    shown += _row("Gone", map(old.link, old.without(new)))
    for name in new.changed(old):
        shown += _row("Changed", [new.link(name)])
        shown += _difference(old.lines(name), new.lines(name))
    if not shown:
        return ""
    return (
        '<details class="changes" data-search-exclude>'
        f"<summary>What changed since {escape(old.title)}</summary>{shown}</details>"
    )


def _row(title: str, links: Iterable[str]) -> str:
    listed = ", ".join(links)
    return f"<p><b>{title}:</b> {listed}</p>" if listed else ""


def _difference(old: list[str], new: list[str]) -> str:
    """Return the lines that came and went; what stayed is shown beside them only."""
    shown = ""
    for line in [*unified_diff(old, new, lineterm="", n=_CONTEXT)][2:]:
        if line.startswith("@"):
            shown += "<hr>" if shown else ""
            continue
        tag = {"+": "ins", "-": "del"}.get(line[0], "span")
        shown += f"<{tag}>{line[0]} {escape(line[1:])}\n</{tag}>"
    return f"<pre>{shown}</pre>"

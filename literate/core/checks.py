"""What is wrong between chunks: names, second uses, cycles, and roots in the way."""

from __future__ import annotations

from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from literate.core import names
from literate.core.diagnostics import Problem, nearest
from literate.core.document import Chunk, Document, Piece, Reference

_HINTS = 20  # unknown names for which the nearest one is looked for

Use = tuple[Piece, Reference]  # a reference, and the piece it is in


@lru_cache(maxsize=1)  # each variant that is tangled asks for it
def check(document: Document) -> list[Problem]:
    """Return what is wrong between the chunks, in the program and in every variant.

    What is wrong within single lines is in the document's own `problems`.
    """
    return _Checker(document).run()


class _Checker:
    """The problems so far, by place, and the names that something refers to."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.chunks = document.chunks
        self.problems: dict[tuple[int, int], Problem] = {}
        self.referenced: set[str] = set()

    def run(self) -> list[Problem]:
        self._check_roots()
        self._check_names()
        uses = {name: _uses(chunk.pieces) for name, chunk in self.chunks.items()}
        self._check_composition(uses, "")
        for variant in self.document.variants:
            chunks = [c for c in self.chunks.values() if variant in c.variants]
            changed = {chunk.name: _uses(chunk.variants[variant]) for chunk in chunks}
            self._check_composition(uses | changed, f" in the variant {variant}")
        return list(self.problems.values())

    def _report(
        self, piece: Piece, reference: Reference | None, message: str, hint: str = ""
    ) -> None:
        """Report at a reference, or at a piece's header; once at any place."""
        name = reference.name if reference else piece.name
        index = piece.line + reference.index if reference else piece.line - 1
        column = self.document.lines[index].index("<<")
        if (index, column) not in self.problems:
            self.problems[index, column] = self.document.problem(
                index, column, len(name) + 4, message, hint
            )

    def _check_roots(self) -> None:
        roots = self.document.roots
        by_path: dict[str, Chunk] = {}
        for root in roots:
            other = by_path.setdefault(names.same_path(root.path), root)
            if other is not root:
                line = other.pieces[0].line
                message = f"the same file as {other.name}, the root at line {line}"
                self._report(root.pieces[0], None, message)
        for root in roots:
            folders = names.same_path(root.path).split("/")[:-1]
            for depth in range(2, len(folders) + 1):
                other = by_path.get("/".join(folders[:depth]))
                if other:
                    line = other.pieces[0].line
                    message = f"{other.name} is a file, the root at line {line}"
                    hint = "one root cannot be a folder of another"
                    self._report(root.pieces[0], None, message, hint)
        if not roots and not self.document.problems and self.chunks:
            piece = next(iter(self.chunks.values())).pieces[0]
            message = "the document has no root"
            hint = f"name the chunk to be written {names.FOLDER}/program.py"
            self._report(piece, None, message, hint)
            self.referenced.update(self.chunks)

    def _check_names(self) -> None:
        """Report references to unknown names and to roots, and unused chunks."""
        unknown = []
        for piece in self.document.pieces():
            for reference in piece.references:
                self.referenced.add(reference.name)
                target = self.chunks.get(reference.name)
                if target is None:
                    unknown.append((piece, reference))
                elif target.path:
                    message = "a root is a file, and no part of another chunk"
                    self._report(piece, reference, message)
        known = self.referenced | self.document.excused
        unused = {
            chunk.name: chunk
            for chunk in self.chunks.values()
            if not chunk.path and chunk.pieces and chunk.name not in known
        }
        for number, (piece, reference) in enumerate(unknown):
            if reference.name in self.document.excused:
                continue
            near = None
            if number < _HINTS:
                near = nearest(reference.name, unused)
                near = near or nearest(reference.name, self.chunks)
            unused.pop(near, None)  # one slip, one message
            hint = f'did you mean "{near}"?' if near else ""
            message = f'no chunk is called "{reference.name}"'
            message = names.name_fault(reference.name) or message
            self._report(piece, reference, message, hint)
        for chunk in unused.values():
            piece = chunk.pieces[0]
            hint = f"refer to it with a line {piece.leader} <<{chunk.name}>>"
            if "." in chunk.name and " " not in chunk.name:
                hint = f"a file to be written is named {names.FOLDER}/{chunk.name}"
            self._report(piece, None, f'"{chunk.name}" is never used', hint)

    def _check_composition(self, uses: dict[str, list[Use]], suffix: str) -> None:
        """Report a cycle, or second references in a root.

        `uses` are the references in each chunk, in the program or in a variant of it.
        """
        graph = {name: [target.name for _, target in uses[name]] for name in uses}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            self._report_cycle(error.args[1], uses, suffix)
            return
        for root in self.document.roots:
            met: dict[str, list[Use]] = {}
            reached = [root.name]
            for name in reached:
                for use in uses.get(name, []):
                    target = use[1].name
                    if target not in met:
                        reached.append(target)
                    met.setdefault(target, []).append(use)
            for name, found in met.items():
                if len(found) > 1 and name in self.chunks:
                    self._report_uses(name, found, suffix)

    def _report_uses(self, name: str, uses: list[Use], suffix: str) -> None:
        """Report all references to a name in one root but the first of the document."""
        uses.sort(key=_index)
        message = f'"{name}" is used already, at line {_index(uses[0]) + 1}{suffix}'
        hint = "a chunk is used once; give what is shared a function of its own"
        for piece, reference in uses[1:]:
            self._report(piece, reference, message, hint)

    def _report_cycle(
        self, names: list[str], uses: dict[str, list[Use]], suffix: str
    ) -> None:
        """Report at the cycle's last reference in the document, wherever it was met.

        Each of the `names` is used by the one that follows.
        """
        cycle = [
            next(use for use in uses[user] if use[1].name == used)
            for used, user in pairwise(names)
        ][::-1]
        last = cycle.index(max(cycle, key=_index))
        cycle = cycle[last + 1 :] + cycle[: last + 1]
        path = [piece.name for piece, _ in cycle] + [cycle[0][0].name]
        if len(path) > 9:
            path[4:-4] = [f"({len(path) - 8:,} more)"]
        message = f"a chunk that is part of itself{suffix}: {' → '.join(path)}"
        self._report(*cycle[-1], message)


def _uses(pieces: list[Piece]) -> list[Use]:
    return [(piece, reference) for piece in pieces for reference in piece.references]


def _index(use: Use) -> int:
    """Return the document's line, from 0, of a reference."""
    piece, reference = use
    return piece.line + reference.index

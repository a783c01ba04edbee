"""What is wrong between chunks: names, second uses, cycles, and roots in the way."""

from __future__ import annotations

from collections.abc import Iterator

from literate.core import names
from literate.core.diagnostics import Problem, nearest
from literate.core.document import Chunk, Document, Piece, Reference

Use = tuple[Piece, Reference]  # a reference, and the piece it is in


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
        for variant in (None, *self.document.variants):
            self._check_composition(variant)
        return list(self.problems.values())

    def _report(
        self, piece: Piece, reference: Reference | None, message: str, hint: str = ""
    ) -> None:
        """Report at a reference, or at a piece's header; once at any place."""
        name = reference.name if reference else piece.name
        index = piece.start + reference.index if reference else piece.line - 1
        column = self.document.lines[index].index("<<")
        if (index, column) not in self.problems:
            self.problems[index, column] = self.document.problem(
                index, column, len(name) + 4, message, hint
            )

    def _check_roots(self) -> None:
        roots = [chunk for chunk in self.chunks.values() if chunk.path and chunk.pieces]
        by_path: dict[str, Chunk] = {}
        for root in roots:
            path = names.same_path(root.path)
            other = by_path.setdefault(path, root)
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
        for chunk in self.chunks.values():
            for piece in chunk.all_pieces():
                for reference in piece.references:
                    self.referenced.add(reference.name)
                    target = self.chunks.get(reference.name)
                    if target is None:
                        unknown.append((piece, reference))
                    elif target.path:
                        message = "a root is a file, and no part of another chunk"
                        self._report(piece, reference, message)
        unused = {
            chunk.name: chunk
            for chunk in self.chunks.values()
            if not chunk.path
            and chunk.pieces
            and chunk.name not in self.referenced
            and chunk.name not in self.document.excused
        }
        for piece, reference in unknown:
            if reference.name in self.document.excused:
                continue
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

    def _check_composition(self, variant: str | None) -> None:
        """Report cycles and second references in the program or one variant of it."""
        uses: dict[str, list[tuple[int, Piece, Reference]]] = {}
        waiting = [
            chunk
            for chunk in self.chunks.values()
            if chunk.path or chunk.name not in self.referenced
        ]
        reached = 0
        while waiting:
            reached += 1
            for piece in waiting.pop().pieces_in(variant):
                for reference in piece.references:
                    use = (piece.line + reference.index, piece, reference)
                    if reference.name in uses:
                        uses[reference.name].append(use)
                        continue
                    uses[reference.name] = [use]
                    if reference.name in self.chunks:
                        waiting.append(self.chunks[reference.name])
        is_tree = all(len(places) == 1 for places in uses.values())
        if is_tree and reached == len(self.chunks):
            return  # with every chunk in it: so nothing is used twice, or by itself
        suffix = f" in the variant {variant}" if variant else ""
        in_cycles = self._check_cycles(variant, suffix)
        for name, places in uses.items():
            if len(places) == 1 or name in in_cycles or name not in self.chunks:
                continue
            places.sort(key=lambda use: use[0])
            first = places[0][0] + 1
            for _, piece, reference in places[1:]:
                message = f'"{name}" is used already, at line {first}{suffix}'
                hint = "a chunk is used once; give what is shared a function of its own"
                self._report(piece, reference, message, hint)

    def _check_cycles(self, variant: str | None, suffix: str) -> set[str]:
        """Report every cycle of references once; return the names in them."""
        done: set[str] = set()
        found: set[str] = set()
        for start in self.chunks:
            if start in done:
                continue
            path = [start]
            depth = {start: 0}
            used: list[Use] = []
            steps = [self._steps(start, variant)]
            while steps:
                step = next(steps[-1], None)
                if step is None:
                    steps.pop()
                    name = path.pop()
                    del depth[name]
                    done.add(name)
                    if used:
                        used.pop()
                    continue
                name = step[1].name
                if name in depth:
                    cycle = [*used[depth[name] :], step]
                    self._report_cycle(cycle, suffix)
                    found.update(path[depth[name] :])
                elif name not in done and name in self.chunks:
                    depth[name] = len(path)
                    path.append(name)
                    used.append(step)
                    steps.append(self._steps(name, variant))
        return found

    def _steps(self, name: str, variant: str | None) -> Iterator[Use]:
        for piece in self.chunks[name].pieces_in(variant):
            for reference in piece.references:
                yield piece, reference

    def _report_cycle(self, cycle: list[Use], suffix: str) -> None:
        """Report at the cycle's last reference in the document, wherever it was met."""
        last = max(
            range(len(cycle)), key=lambda i: cycle[i][0].line + cycle[i][1].index
        )
        cycle = cycle[last + 1 :] + cycle[: last + 1]
        path = [piece.name for piece, _ in cycle] + [cycle[0][0].name]
        if len(path) > 9:
            path[4:-4] = [f"({len(path) - 8:,} more)"]
        message = f"a chunk that is part of itself{suffix}: {' → '.join(path)}"
        self._report(*cycle[-1], message)

"""A document as a Jupyter notebook: prose, the program's parts, and sessions to run.

It needs nothing beside it. A first cell lets sessions import the notebook itself as
they import the program, and writes the data that the program reads. Every other Python
file of the document is a cell that writes the file, and one that runs it, if it is a
program of its own: one that imports the program is called from a command line.
"""

from __future__ import annotations

import json
import re

from literate.core.blocks import Block, Fence, split_lines
from literate.core.labs import Lab, labs_in
from literate.core.programs import Output
from literate.tool.order import (
    Part,
    Section,
    is_chapter,
    pieces_of,
    retell,
    source,
    texts,
)

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_METADATA = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
_SHELL = ("console", "sh", "shell", "bash")
_WITHOUT_USE = re.compile(r"<(?:div class=\"lab\"|figure|img|!--)|!\[")


def make(output: Output, outputs: list[Output]) -> str:
    """Return a Python output and its document as a notebook, JSON of nbformat 4.5.

    `outputs` are all that the document makes.
    """
    cells = _Writer(output, outputs).write()
    for number, cell in enumerate(cells, start=1):
        cell["id"] = f"cell-{number}"
    notebook = {
        "cells": cells,
        "metadata": _METADATA,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


class _Writer:
    """The cells so far, the prose of the next one, and sessions that have to wait."""

    def __init__(self, output: Output, outputs: list[Output]) -> None:
        self.output = output
        self.document = output.document
        self.pieces = pieces_of(output.document)
        self.module = output.path.rpartition("/")[2].removesuffix(".py")
        self.others = {
            other.path: other
            for other in outputs
            if other.is_python and other is not output
        }
        self.cells: list[dict] = []
        self.prose: list[str] = []
        self.defined: set[str] = set()  # names of the program, paths of others
        self.waiting: list[tuple[Fence, set[str]]] = []
        self.needed: set[str] = set()  # by the chapter's sessions so far

    def write(self) -> list[dict]:
        for item in retell(self.output, self._is_told):
            if isinstance(item, Part):
                self._add_part(texts(item.lines))
            elif item.start in self.pieces:
                self._add_piece(item)
            elif isinstance(item, Fence) and item.info.lower().startswith("pycon"):
                self._add_session(item)
            elif lab := self._exercise(item):
                self._add_exercise(item, lab)
            else:
                if is_chapter(item):
                    self._end_prose()
                    self.needed = set()
                self._add_prose(self._markdown(item))
        self._end_prose()
        first_code = [cell["cell_type"] for cell in self.cells].index("code")
        self.cells.insert(first_code, self._set_up())
        return self.cells

    def _is_told(self, section: Section) -> bool:
        """Tell whether a section has anything to do with a notebook.

        Those that tell how to use a shell, and do not show the program, have nothing.
        """
        infos = {b.info.lower() for b in section if isinstance(b, Fence)}
        runs = "pycon" in infos or any(block.start in self.pieces for block in section)
        return runs or infos.isdisjoint(_SHELL)

    def _add_part(self, lines: list[str]) -> None:
        # A notebook is not called from a command line, and goes on afterwards.
        text = "\n".join(lines).replace("sys.exit(main())", "main([])")
        metadata = {"scrolled": True} if "main([])" in text else {}
        self._add_code(text.split("\n"), **metadata)
        self._define(_bound(text))

    def _add_piece(self, block: Fence) -> None:
        """Show a piece of a chunk; one of another program is that program, whole."""
        path = self.document.chunks[self.pieces[block.start].name].path
        if path is None:
            self._add_prose(self._source(block))
        elif path in self.others and path not in self.defined:
            name = path.partition("/")[2]
            lines = [
                line.rstrip("\r\n") for line in split_lines(self.others[path].text)
            ]
            self._add_code([f"%%writefile {name}", *lines])
            if f"import {self.module}" not in lines:
                run = f'_ = runpy.run_path("{name}", run_name="__main__")'
                self._add_code(["import runpy", "", run])
            self._define({path})

    def _exercise(self, block: Block) -> Lab | None:
        """Return the lab that a block begins, if it is an exercise."""
        labs = labs_in(self._source(block)[0])
        return next((lab for lab in labs if lab.exercise), None)

    def _add_exercise(self, block: Block, lab: Lab) -> None:
        """Add what is asked for, and a cell that marks what is written into it.

        Checkers are left to the notebook: without them, making it is quicker.
        """
        self._add_prose([f"**{lab.title}**", *self._source(block)[1:-1]])
        self._add_code([f"%%exercise {lab.exercise}", "# Run this cell to begin."])

    # Sessions

    def _define(self, names: set[str]) -> None:
        """Note what is defined by now, and run the sessions that waited for it."""
        self.defined |= names
        ready = [session for session in self.waiting if session[1] <= self.defined]
        self.waiting = [session for session in self.waiting if session not in ready]
        for block, _ in ready:
            self._run_session(block)

    def _imported(self, block: Fence) -> set[str]:
        """Return what a session imports: names of the program, paths of others."""
        found: set[str] = set()
        for line in self._source(block):
            match = re.match(r">>> from (\S+) import ([^#]+)", line)
            if match and match[1] == self.module:
                names = match[2].split(",")
                found.update(name.split(" as ")[0].strip() for name in names)
            elif match:
                path = f"build/{match[1].replace('.', '/')}.py"
                found.update({path} & self.others.keys())
        return found

    def _add_session(self, block: Fence) -> None:
        """Add the cells of a session, or show it if it has to be run later."""
        self.needed |= self._imported(block)
        if self.needed <= self.defined:
            self._run_session(block)
        else:
            self._add_prose(self._source(block))
            self.waiting.append((block, {*self.needed}))

    def _run_session(self, block: Fence) -> None:
        """Add a cell for each time that a session prints."""
        code: list[str] = []
        for typed, printed in _examples(self._source(block)[1:-1]):
            fails = printed[:1] == ["Traceback (most recent call last):"]
            code += _caught(typed) if fails else typed
            if printed:
                shown = printed[-1:] if fails else printed
                self._add_code(code, "".join(f"{line}\n" for line in shown))
                code = []
        if code:
            self._add_code(code)

    # Cells

    def _source(self, block: Block) -> list[str]:
        return texts(source(self.document, block))

    def _add_prose(self, lines: list[str]) -> None:
        if lines:
            self.prose += ["", *lines] if self.prose else lines

    def _end_prose(self) -> None:
        if self.prose:
            prose = _ended(self.prose)
            cell = {"cell_type": "markdown", "metadata": {}, "source": prose}
            self.cells.append(cell)
        self.prose = []

    def _add_code(self, lines: list[str], printed: str = "", **metadata: bool) -> None:
        self._end_prose()
        self.cells.append(_code_cell(lines, printed, metadata))

    def _markdown(self, block: Block) -> list[str]:
        """Return a block as notebooks show it, none of what only a website has."""
        lines = self._source(block)
        if isinstance(block, Fence):
            is_math = block.info.lower() == "math"
            return ["$$", *lines[1:-1], "$$"] if is_math else lines
        if _WITHOUT_USE.match(lines[0]) or self._holds_file(block):
            return []
        return [re.sub(r"\$`([^`]+)`\$", r"$\1$", line) for line in lines]

    def _holds_file(self, block: Block) -> bool:
        pieces = [self.pieces.get(index) for index in range(block.start, block.end)]
        return any(p and self.document.chunks[p.name].path for p in pieces)

    def _set_up(self) -> dict:
        """Return the first cell of code: it lets the notebook stand for the program."""
        lines = [
            "# Sessions import the program, which is this notebook; its data is here.",
            "import os",
            "import sys",
            "",
            f'sys.modules["{self.module}"] = sys.modules["__main__"]',
            f'__file__ = os.path.abspath("{self.module}.py")',
        ]
        for path in self.others:
            folder = path.partition("/")[2].rpartition("/")[0] or "."
            lines.append(f'os.makedirs("{folder}", exist_ok=True)')
        for root in self.document.roots:
            name = root.path.partition("/")[2]
            if "/" not in name and root.pieces[0].is_data:
                data = "".join(line for piece in root.pieces for line in piece.lines)
                lines += [
                    f'if not os.path.exists("{name}"):',
                    f'    with open("{name}", "w", encoding="utf-8", newline="") as f:',
                    f"        f.write({_quoted(data)})",
                ]
        lines = [*"\n".join(lines).split("\n"), *_MARKING]
        return _code_cell(lines, "", {"jupyter": {"source_hidden": True}})


_MARKING = [
    "",
    "# Exercises are marked by the book's checkers, if the notebook is in build/.",
    'sys.path.append(os.path.abspath(".."))',
    "try:",
    "    from exercises.notebook import mark",
    "except ImportError:",
    "    def mark(name, cell):",
    '        print("This is marked where the notebook is in the book\'s build/.")',
    'get_ipython().register_magic_function(mark, "cell", "exercise")',
]


def _code_cell(lines: list[str], printed: str, metadata: dict) -> dict:
    stream = {"name": "stdout", "output_type": "stream", "text": printed}
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [stream] if printed else [],
        "source": _ended(lines),
    }


def _ended(lines: list[str]) -> list[str]:
    """Return lines as notebooks hold them: all but the last are ended."""
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:]


def _quoted(text: str) -> str:
    """Return a text as Python writes it over several lines."""
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""\\\n{escaped}"""'


def _bound(text: str) -> set[str]:
    """Return the names that lines of Python define at the margin."""
    found = re.findall(r"(?m)^(?:def|class|import) (\w+)|^(\w+) = ", text)
    return {name for names in found for name in names if name}


def _examples(lines: list[str]) -> list[tuple[list[str], list[str]]]:
    """Return the examples of a session: what is typed, and what is printed."""
    found: list[tuple[list[str], list[str]]] = []
    for line in lines:
        if line.startswith(">>> "):
            found.append(([], []))
        if line.startswith((">>> ", "...")) and found:
            found[-1][0].append(line[4:])
        elif line and found:
            found[-1][1].append(line.replace("<BLANKLINE>", ""))
    return [(typed, printed) for typed, printed in found if not _is_skipped(typed)]


def _is_skipped(typed: list[str]) -> bool:
    return any("# doctest: +SKIP" in line for line in typed)


def _caught(lines: list[str]) -> list[str]:
    """Return code that prints the exception in which it ends, so that it goes on."""
    return [
        "try:",
        *(f"    {line}" for line in lines),
        "except Exception as error:",
        '    print(f"{type(error).__name__}: {error}")',
    ]

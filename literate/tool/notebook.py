"""A document as a Jupyter notebook: prose, the program's parts, and sessions to run.

It needs nothing beside it. A first cell lets sessions import the notebook itself as
they import the program, and writes the data that the program reads.
"""

from __future__ import annotations

import re

from literate.core.blocks import Block, Fence, Html
from literate.core.document import Document
from literate.core.programs import Output
from literate.tool.order import (
    PART,
    PROSE,
    SESSION,
    contents,
    is_chapter,
    plain_html,
    retell,
    source,
)

try:
    from _json import encode_basestring as _quoted  # without loading all of json
except ImportError:
    from json.encoder import encode_basestring as _quoted

_METADATA = """{
  "kernelspec": {
   "display_name": "Python 3",
   "language": "python",
   "name": "python3"
  },
  "language_info": {
   "name": "python"
  }
 }"""


def make(output: Output) -> str:
    """Return a Python output and its document as a notebook, JSON of nbformat 4.5."""
    return _Writer(output).write()


class _Writer:
    """The cells so far, the prose of the next one, and sessions that have to wait."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.document = output.document
        self.module = output.path.rpartition("/")[2].removesuffix(".py")
        self.cells: list[str] = []
        self.prose: list[str] = []
        self.defined: set[str] = set()  # by the parts so far
        self.waiting: list[tuple[list[str], set[str]]] = []
        self.needed: set[str] = set()  # by the chapter's sessions so far

    def write(self) -> str:
        for item in retell(self.output):
            if item.kind == PART:
                self._add_part(item.part.text)
            elif item.kind == SESSION:
                self._add_session(item.block)
            else:
                if is_chapter(item.block):
                    self._end_prose()
                    self.needed = set()
                text = _markdown(self.document, item.block, item.kind)
                self.prose += [text] if text else []
        self._end_prose()
        cells = ",\n".join(self.cells)
        return (
            f'{{\n "cells": [\n{cells}\n ],\n "metadata": {_METADATA},\n'
            ' "nbformat": 4,\n "nbformat_minor": 5\n}\n'
        )

    def _add_part(self, text: str) -> None:
        self._end_prose()
        if not self.defined:
            self._add_code(_set_up(self.document, self.module), hidden=True)
        # A notebook is not called from a command line, and goes on afterwards.
        self._add_code(text.replace("sys.exit(main())", "main([])"))
        self.defined |= _bound(text) | {""}
        ready = [session for session in self.waiting if session[1] <= self.defined]
        self.waiting = [session for session in self.waiting if session not in ready]
        for lines, _ in ready:
            self._run_session(lines)

    def _add_session(self, block: Fence) -> None:
        """Add the cells of a session, or show it if it has to be run later."""
        lines = contents(self.document, block)
        self.needed |= _imported(lines, self.module)
        if self.needed <= self.defined:
            self._run_session(lines)
            return
        self.prose.append(source(self.document, block))
        self.waiting.append((lines, {*self.needed}))

    def _run_session(self, lines: list[str]) -> None:
        self._end_prose()
        for typed, printed in _examples(lines):
            self._add_code(typed, printed)

    # Cells

    def _end_prose(self) -> None:
        if self.prose:
            text = "\n\n".join(part.strip("\n") for part in self.prose)
            self._add_cell("markdown", text, "")
        self.prose = []

    def _add_code(self, text: str, printed: str = "", hidden: bool = False) -> None:
        stream = f"""
    {{
     "name": "stdout",
     "output_type": "stream",
     "text": {_quoted(printed)}
    }}
   """
        outputs = f"[{stream if printed else ''}]"
        more = f'   "execution_count": null,\n   "outputs": {outputs},\n'
        self._add_cell("code", text, more, hidden)

    def _add_cell(self, kind: str, text: str, more: str, hidden: bool = False) -> None:
        metadata = '{"jupyter": {"source_hidden": true}}' if hidden else "{}"
        self.cells.append(
            f'  {{\n   "cell_type": "{kind}",\n{more}'
            f'   "id": "cell-{len(self.cells) + 1}",\n   "metadata": {metadata},\n'
            f'   "source": {_quoted(text)}\n  }}'
        )


def _markdown(document: Document, block: Block, kind: str) -> str:
    """Return a block as notebooks show it."""
    text = source(document, block)
    if isinstance(block, Html):
        return plain_html(text)
    if isinstance(block, Fence) and block.info.lower() == "math":
        return "\n".join(["$$", *contents(document, block), "$$"])
    if kind == PROSE and "$`" in text:
        return re.sub(r"\$`([^`\n]+)`\$", r"$\1$", text)
    return text


def _set_up(document: Document, module: str) -> str:
    """Return the first cell: what the notebook needs to stand for the program."""
    shown = [
        "# Sessions import the program, which is this notebook; it reads files here.",
        "import os",
        "import sys",
        "",
        f'sys.modules["{module}"] = sys.modules["__main__"]',
        f'__file__ = os.path.abspath("{module}.py")',
    ]
    for chunk in document.chunks.values():
        if chunk.path and not chunk.path.endswith(".py"):
            name = chunk.path.partition("/")[2]
            text = "".join(line for piece in chunk.pieces for line in piece.lines)
            if "/" not in name and chunk.pieces[0].language in ("text", "txt"):
                escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
                shown += [
                    f'if not os.path.exists("{name}"):',
                    f'    with open("{name}", "w", encoding="utf-8", newline="") as f:',
                    f'        f.write("""\\\n{escaped}""")',
                ]
    return "\n".join(shown)


def _bound(text: str) -> set[str]:
    """Return the names that lines at the margin define."""
    names: set[str] = set()
    for line in text.split("\n"):
        word, _, rest = line.partition(" ")
        if word in ("class", "def"):
            names.add(rest.partition("(")[0].rstrip(":"))
        elif word == "import" or " = " in line:
            left = rest if word == "import" else line.partition(" = ")[0]
            names.update(name for name in left.split(", ") if name.isidentifier())
    return names


def _imported(lines: list[str], module: str) -> set[str]:
    """Return the names that a session imports from the program."""
    prompt = f">>> from {module} import "
    names = [
        line.removeprefix(prompt).split("#")[0]
        for line in lines
        if line.startswith(prompt)
    ]
    return {name.split(" as ")[0].strip() for text in names for name in text.split(",")}


def _examples(lines: list[str]) -> list[tuple[str, str]]:
    """Return what is typed and what is printed, a cell for each time that it prints.

    An example that ends in an exception catches it and prints it, so that the notebook
    runs on.
    """
    cells: list[tuple[str, str]] = []
    typed: list[str] = []
    printed: list[str] = []
    for line in [*lines, ">>> "]:
        if line.startswith((">>>", "...")) and printed:
            cells.append(_cell(typed, printed))
            typed, printed = [], []
        if line.startswith((">>>", "...")):
            typed.append(line)
        elif line:
            printed.append("" if line == "<BLANKLINE>" else line)
    typed.pop()
    return [*cells, _cell(typed, printed)] if typed else cells


def _cell(typed: list[str], printed: list[str]) -> tuple[str, str]:
    fails = printed[:1] == ["Traceback (most recent call last):"]
    if not fails:
        code = [line[4:] for line in typed]
        return "\n".join(code).rstrip("\n"), "".join(f"{line}\n" for line in printed)
    last = max(n for n, line in enumerate(typed) if line.startswith(">>>"))
    code = [line[4:] for line in typed[:last]] + ["try:"]
    code += [f"    {line[4:]}" for line in typed[last:]]
    code += [
        "except Exception as error:",
        '    print(f"{type(error).__name__}: {error}")',
    ]
    return "\n".join(code), f"{printed[-1]}\n"
